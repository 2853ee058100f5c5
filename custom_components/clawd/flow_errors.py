"""What the forms of the config flow say of an error."""

from typing import TYPE_CHECKING, Final

from homeassistant.const import CONF_ADDRESS, CONF_TOKEN

from .errors import error_key
from .gateway import InvalidTokenError

if TYPE_CHECKING:
    from .gateway import GatewayError
    from .visit import Visit

_BY_CODE: Final = {
    "AUTH_BOOTSTRAP_TOKEN_INVALID": "setup_link_used",
    "AUTH_PASSWORD_MISMATCH": "invalid_password",
    "AUTH_PASSWORD_MISSING": "password_missing",
    "AUTH_TOKEN_MISSING": "token_missing",
    "HTTP_403": "proxy_not_trusted",
    "INVALID_HOST": "invalid_address",
    "TLS": "tls_failed",
    "TLS_CERTIFICATE": "certificate_unknown",
    "TLS_CERTIFICATE_EXPIRED": "certificate_expired",
    "TLS_CERTIFICATE_NAME": "certificate_name",
    "TLS_FINGERPRINT": "certificate_changed",
    "UNKNOWN_HOST": "unknown_host",
}
_OF_ADDRESS: Final = (
    "invalid_address",
    "setup_link_used",
    "unknown_host",
    "tls_failed",
)


def form_errors(error: GatewayError, fields: set[str]) -> dict[str, str]:
    """Return the text of an error, at the field that is to be corrected."""
    key = _key(error)
    field = "base"
    if key in _OF_ADDRESS:
        field = CONF_ADDRESS
    elif isinstance(error, InvalidTokenError):
        field = CONF_TOKEN
    return {field if field in fields else "base": key}


def certificate_error(visit: Visit, announced: str | None) -> str:
    """Return what is wrong with a certificate, the worst first."""
    assert visit.error  # noqa: S101 - the certificate is shown for it
    key = _key(visit.error)
    if key != "certificate_changed" and announced not in (None, visit.presented):
        return "certificate_not_announced"
    return key


def _key(error: GatewayError) -> str:
    return _BY_CODE.get(error.code) or error_key(error)
