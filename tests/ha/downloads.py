"""Diagnostics download, and encodings of secrets."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
import json
from urllib.parse import quote

type Download = Callable[[], Awaitable[str]]


def forms(secret: str) -> set[str]:
    """Return the forms in which a secret may show."""
    raw = secret.encode()
    return {
        secret,
        secret[:12],
        quote(secret, safe=""),
        b64encode(raw).decode().rstrip("="),
        urlsafe_b64encode(raw).decode().rstrip("="),
        json.dumps(secret)[1:-1],
    }
