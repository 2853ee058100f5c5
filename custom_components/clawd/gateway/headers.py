"""Additional HTTP headers for a proxy."""

from collections.abc import Iterable, Mapping
import re
from typing import Final

MAX_HEADERS: Final = 16
# Characters; Node.js takes 16 KiB of headers, nginx 8 KiB a line.
MAX_VALUE_LENGTH: Final = 4096
# Characters; shorter parts may be ordinary words.
MIN_SECRET_LENGTH: Final = 8

# RFC 9110, 5.1 and 5.5; other characters than ASCII are not portable.
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
# Headers of the upgrade itself, those of one hop (RFC 9110, 7.6.1), and those by which
# the Gateway tells an untrusted proxy.
_RESERVED: Final = re.compile(
    r"connection|content-length|expect|forwarded|host|keep-alive|proxy-.*"
    r"|sec-websocket-.*|te|trailer|transfer-encoding|upgrade|x-forwarded-.*|x-real-ip",
    re.IGNORECASE,
)


def is_reserved(name: str) -> bool:
    """Return whether a header is reserved."""
    return _RESERVED.fullmatch(name) is not None


def is_header(name: object, value: object) -> bool:
    """Return whether a header may be sent."""
    return (
        isinstance(name, str)
        and isinstance(value, str)
        and len(value) <= MAX_VALUE_LENGTH
        and _NAME.fullmatch(name) is not None
        and _VALUE.fullmatch(value) is not None
        and not is_reserved(name)
    )


def valid_headers(stored: object) -> dict[str, str]:
    """Return the valid stored headers."""
    if not isinstance(stored, Mapping):
        return {}
    headers: dict[str, str] = {}
    for name, value in stored.items():
        known = {other.lower() for other in headers}
        if is_header(name, value) and name.lower() not in known:
            headers[name] = value
    return dict(list(headers.items())[:MAX_HEADERS])


def header_secrets(values: Iterable[str]) -> list[str]:
    """Return secrets and their parts, for redaction."""
    # Authorization: Bearer …; Cookie: session=…
    parts = (part for v in values for part in (v, *re.split(r"[\s=;,]", v)))
    return list(dict.fromkeys(p for p in parts if len(p) >= MIN_SECRET_LENGTH))
