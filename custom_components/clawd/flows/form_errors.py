"""Errors in forms."""

from typing import TYPE_CHECKING, Final

from homeassistant.const import CONF_ADDRESS, CONF_TOKEN

from ..error_mapping import error_key
from ..gateway import InvalidTokenError

if TYPE_CHECKING:
    from ..gateway import GatewayError

# Extensions required by strict verification, by error code.
LACKS: Final = {
    "TLS_CERTIFICATE_AUTHORITY_KEY": "authorityKeyIdentifier",
    "TLS_CERTIFICATE_BASIC_CONSTRAINTS": "basicConstraints (critical)",
    "TLS_CERTIFICATE_KEY_USAGE": "keyUsage",
    "TLS_CERTIFICATE_NO_AUTHORITY": "CA:TRUE, keyCertSign",
    "TLS_CERTIFICATE_STRICT": "RFC 5280",
    "TLS_CERTIFICATE_SUBJECT_KEY": "subjectKeyIdentifier",
    "TLS_CERTIFICATE_SUBJECT_NAME": "subjectAltName",
}
# Codes with a more specific translation key than their error class has.
_BY_CODE: Final = {
    "AUTH_BOOTSTRAP_TOKEN_INVALID": "setup_link_used",
    "AUTH_PASSWORD_MISMATCH": "invalid_password",
    "AUTH_PASSWORD_MISSING": "password_missing",
    "AUTH_TOKEN_MISSING": "token_missing",
    "INVALID_HOST": "invalid_address",
    "TLS": "tls_failed",
    "TLS_CERTIFICATE": "certificate_unknown",
    "TLS_CERTIFICATE_EXPIRED": "certificate_expired",
    "TLS_CERTIFICATE_NAME": "certificate_name",
    "TLS_FINGERPRINT": "certificate_changed",
    "UNKNOWN_HOST": "unknown_host",
    **dict.fromkeys(LACKS, "certificate_incomplete"),
}
_ADDRESS_ERRORS: Final = (
    "invalid_address",
    "setup_link_used",
    "unknown_host",
    "tls_failed",
)


def form_errors(error: GatewayError, fields: set[str]) -> dict[str, str]:
    """Return the form errors, by field."""
    key = form_error_key(error)
    field = "base"
    if key in _ADDRESS_ERRORS:
        field = CONF_ADDRESS
    elif isinstance(error, InvalidTokenError):
        field = CONF_TOKEN
    return {field if field in fields else "base": key}


def form_error_key(error: GatewayError) -> str:
    """Return the translation key of an error."""
    return _BY_CODE.get(error.code) or error_key(error)
