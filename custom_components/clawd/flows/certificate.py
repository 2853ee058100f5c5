"""Untrusted certificates in forms."""

from typing import TYPE_CHECKING, Final

from .form_errors import form_error_key

if TYPE_CHECKING:
    from .setup import ProbeResult

# Characters of 16 of the 32 bytes, each with its colon. A dialog of the frontend
# is too narrow for a whole fingerprint, 95 characters: its end would be hidden.
FINGERPRINT_LINE: Final = 48


def certificate_error(result: ProbeResult, discovered: str | None) -> str:
    """Return the translation key of a certificate's worst error.

    `discovered` is the fingerprint that the Gateway was advertised with.
    """
    if TYPE_CHECKING:
        assert result.error
    key = form_error_key(result.error)
    # A changed certificate is the graver one: the user trusted another before.
    if key != "certificate_changed" and discovered not in (None, result.fingerprint):
        return "certificate_not_announced"
    return key


def format_fingerprint(fingerprint: str) -> str:
    """Return a fingerprint as `openssl` does, in two lines."""
    pairs = zip(fingerprint[::2], fingerprint[1::2], strict=True)
    text = ":".join(map("".join, pairs)).upper()
    return f"{text[:FINGERPRINT_LINE]}\n{text[FINGERPRINT_LINE:]}" if text else ""
