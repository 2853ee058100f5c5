"""Setup links of a Gateway."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
import json
import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from .endpoint import read_fingerprint

PREFIX: Final = "oc-pair://"
# More than OpenClaw puts into a code.
MAX_ADDRESSES: Final = 8
PORTS: Final = {"ws": 80, "http": 80, "wss": 443, "https": 443}

# A code is base64url of a JSON object; the shortest one has 60 characters.
_CODE: Final = re.compile(r"eyJ[\w-]{40,}", re.ASCII)


class LinkAddress(NamedTuple):
    """Address in a setup link.

    `path` is empty, or has a leading slash.
    """

    host: str
    port: int
    ssl: bool
    path: str


@dataclass(frozen=True, slots=True)
class SetupLink:
    """Content of a setup link.

    Attributes:
        addresses: of the Gateway, the preferred one first.
        bootstrap_token: valid for one device and ten minutes.
        fingerprint: of its certificate: SHA-256, 64 hex digits.
        expires_at: seconds since 1970; None where the link does not say.

    """

    addresses: tuple[LinkAddress, ...]
    bootstrap_token: str = field(repr=False)
    fingerprint: str | None = None
    expires_at: float | None = None


def is_setup_link(text: str) -> bool:
    """Return whether a text is a setup link."""
    text = text.strip()
    return text.lower().startswith(PREFIX) or bool(_CODE.fullmatch(text))


def read_setup_link(text: str) -> SetupLink:
    """Read a setup link or setup code.

    Raises:
        ValueError: the text is neither.

    """
    text = text.strip()
    code = text[len(PREFIX) :] if text.lower().startswith(PREFIX) else text
    match json.loads(urlsafe_b64decode(code + "=" * (-len(code) % 4))):
        case {"url": str(url), "bootstrapToken": str(token), **more} if token:
            pin, others = more.get("tlsFingerprint"), more.get("urls")
            expires_at = more.get("expiresAtMs")
            urls = (url, *(others if isinstance(others, list) else ()))[:MAX_ADDRESSES]
            return SetupLink(
                tuple(dict.fromkeys(_address(url) for url in urls)),
                token,
                read_fingerprint(str(pin)) if pin else None,
                expires_at / 1000 if isinstance(expires_at, int) else None,
            )
    raise ValueError("not a setup code")


def _address(url: object) -> LinkAddress:
    parts = urlsplit(str(url))
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("not the URL of a Gateway")
    return LinkAddress(
        parts.hostname,
        parts.port or PORTS[parts.scheme],
        parts.scheme in ("wss", "https"),
        parts.path.rstrip("/"),
    )
