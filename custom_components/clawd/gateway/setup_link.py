"""Links by which a Gateway's owner lets a device in."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
import json
import re
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from .endpoint import read_fingerprint

PREFIX: Final = "oc-pair://"
PORTS: Final = {"ws": 80, "http": 80, "wss": 443, "https": 443}

# A code is base64url of a JSON object; the shortest one has 60 characters.
_CODE: Final = re.compile(r"eyJ[\w-]{40,}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SetupLink:
    """Where a Gateway listens, and what lets a device in.

    Attributes:
        path: empty, or it starts with a slash.
        token: of the Gateway.
        bootstrap_token: for one device, for ten minutes.
        fingerprint: of its certificate: SHA-256, 64 hex digits.

    """

    host: str
    port: int
    ssl: bool
    path: str = ""
    token: str | None = field(default=None, repr=False)
    bootstrap_token: str | None = field(default=None, repr=False)
    fingerprint: str | None = None

    @classmethod
    def at(
        cls,
        url: str,
        *,
        token: str | None = None,
        bootstrap_token: str | None = None,
        fingerprint: str | None = None,
    ) -> Self:
        """Return the link to a URL.

        Raises:
            ValueError: it is no URL of a Gateway.

        """
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("not the URL of a Gateway")
        return cls(
            parts.hostname,
            parts.port or PORTS[parts.scheme],
            parts.scheme in ("wss", "https"),
            parts.path.rstrip("/"),
            token,
            bootstrap_token,
            fingerprint,
        )


def is_setup_link(text: str) -> bool:
    """Return whether a text is meant as a setup link, be it a good one or not."""
    text = text.strip()
    return bool(
        text.lower().startswith(PREFIX)
        or _CODE.fullmatch(text)
        or any(_fragment(text).values())
    )


def read_setup_link(text: str) -> SetupLink:
    """Read a setup link or code of `openclaw`, or a link to its dashboard.

    Raises:
        ValueError: it is none.

    """
    text = text.strip()
    if "://" in text and not text.lower().startswith(PREFIX):
        return SetupLink.at(text, **_fragment(text))
    code = text[len(PREFIX) :] if text.lower().startswith(PREFIX) else text
    match json.loads(urlsafe_b64decode(code + "=" * (-len(code) % 4))):
        case {"url": str(url), "bootstrapToken": str(token), **more} if token:
            pin = more.get("tlsFingerprint")
            return SetupLink.at(
                url,
                bootstrap_token=token,
                fingerprint=read_fingerprint(str(pin)) if pin else None,
            )
    raise ValueError("not a setup code")


def _fragment(url: str) -> dict[str, str | None]:
    """Return what the fragment of a dashboard's URL lets in with."""
    given = parse_qs(url.partition("#")[2])
    return {
        "token": given.get("token", [None])[0],
        "bootstrap_token": given.get("bootstrapToken", [None])[0],
    }
