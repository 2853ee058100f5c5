"""HTTP responses refusing the WebSocket upgrade."""

from http import HTTPStatus
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ..exceptions import (
    PROXY_ATTRIBUTION,
    CannotConnectError,
    GatewayError,
    NotAGatewayError,
    ProxyRefusedError,
    SignInRequiredError,
)

if TYPE_CHECKING:
    from websockets.http11 import Response

    from ..endpoint import Endpoint

REDIRECTS: Final = (
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
)
# The Gateway itself never answers an upgrade with these.
SIGN_IN: Final = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
)
# Some sign-in proxies answer 200 or 403 with a page.
PAGE: Final = (HTTPStatus.OK, HTTPStatus.FORBIDDEN)
HTML: Final = ("text/html", "application/xhtml+xml")


def upgrade_error(
    response: Response, endpoint: Endpoint, fingerprint: str | None
) -> GatewayError:
    """Return the error of an HTTP response.

    `fingerprint` is that of the peer's certificate.
    """
    status = response.status_code
    code, delay = f"HTTP_{status}", _retry_after(response)
    if _asks_to_sign_in(response, endpoint):
        error = SignInRequiredError(
            f"a sign-in page: HTTP {status}", http_status=status, code=code
        )
        error.fingerprint = fingerprint
        return error
    if status == HTTPStatus.FORBIDDEN:
        known = _error_type(response) == PROXY_ATTRIBUTION.lower()
        return ProxyRefusedError(
            f"a proxy is not trusted: HTTP {status}",
            http_status=status,
            code=PROXY_ATTRIBUTION if known else code,
            retry_after=delay,
        )
    if (
        status == HTTPStatus.TOO_MANY_REQUESTS
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    ):
        return CannotConnectError(
            f"the upgrade was refused: HTTP {status}",
            http_status=status,
            code=code,
            retry_after=delay,
        )
    return NotAGatewayError(f"no WebSocket but HTTP {status}", code=code)


def _asks_to_sign_in(response: Response, endpoint: Endpoint) -> bool:
    status = response.status_code
    if status in REDIRECTS:
        return _leads_elsewhere(_header(response, "Location"), endpoint)
    kind = _header(response, "Content-Type").partition(";")[0].strip().lower()
    return status in SIGN_IN or (status in PAGE and kind in HTML)


def _leads_elsewhere(location: str, endpoint: Endpoint) -> bool:
    """Return whether a redirect leaves the Gateway."""
    try:
        target = urlsplit(location)
        host = target.hostname or endpoint.host.lower()
    except ValueError:
        return False
    path = target.path.rstrip("/") if location else endpoint.path
    return (host, path) != (endpoint.host.lower(), endpoint.path)


def _error_type(response: Response) -> str:
    """Return the type of a JSON error."""
    # {"error": {"message": "…", "type": "proxy_attribution_required"}}
    try:
        content = json.loads(response.body or b"")
    except ValueError, RecursionError:
        return ""
    match content:
        case {"error": {"type": str(kind)}}:
            return kind
    return ""


def _retry_after(response: Response) -> float | None:
    delay = _header(response, "Retry-After")
    return float(delay) if delay.isdecimal() else None


def _header(response: Response, name: str) -> str:
    """Return the first value of a header."""
    return next(iter(response.headers.get_all(name)), "")
