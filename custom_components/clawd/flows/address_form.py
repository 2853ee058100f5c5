"""Forms for the address of a Gateway and its credentials."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import CONF_ADDRESS, CONF_TOKEN
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from ..client_factory import certificates_in
from ..const import CONF_CA_CERTIFICATE
from .address import parse_address
from .secret import InvalidSecretError, read_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .address import ParsedAddress

SECTION_SECURITY: Final = "security"

_TOKEN: Final = {
    vol.Optional(CONF_TOKEN): TextSelector(
        TextSelectorConfig(type=TextSelectorType.PASSWORD)
    )
}
_SECURITY: Final = vol.Schema(
    {
        vol.Optional(CONF_CA_CERTIFICATE): TextSelector(
            TextSelectorConfig(multiline=True)
        )
    }
)
ADDRESS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_ADDRESS): TextSelector(),
        **_TOKEN,
        vol.Optional(SECTION_SECURITY): section(_SECURITY, {"collapsed": True}),
    }
)
TOKEN_SCHEMA: Final = vol.Schema(_TOKEN)
LINK_ADDRESS_SCHEMA: Final = vol.Schema({vol.Required(CONF_ADDRESS): TextSelector()})


class InvalidFieldError(ValueError):
    """Value that a field does not take.

    Attributes:
        errors: of the form.

    """

    def __init__(self, field: str, key: str) -> None:
        """Initialize with the key of the error's text."""
        super().__init__(key)
        self.errors = {field: key}


def flatten(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a form without its section."""
    return {**user_input, **user_input.get(SECTION_SECURITY, {})}


def keep_certificates(values: dict[str, Any]) -> None:
    """Reduce a pasted file to its certificates.

    Raises:
        InvalidFieldError: there is none.

    """
    if not (pasted := values.get(CONF_CA_CERTIFICATE)):
        return
    if not (certificates := certificates_in(pasted)):
        raise InvalidFieldError("base", "invalid_ca_certificate")
    # The pasted file may hold the private key, too: it is not shown again.
    values[CONF_CA_CERTIFICATE] = certificates


def read_token(values: Mapping[str, Any]) -> str:
    """Return the token or password; empty if there is none.

    Raises:
        InvalidFieldError: it is a placeholder, or more than one line.

    """
    try:
        return read_secret(values.get(CONF_TOKEN, ""))
    except InvalidSecretError as err:
        raise InvalidFieldError(CONF_TOKEN, "invalid_secret") from err


def read_address(values: Mapping[str, Any]) -> ParsedAddress:
    """Return the address.

    Raises:
        InvalidFieldError: it is none, or its token is a placeholder.

    """
    try:
        return parse_address(values[CONF_ADDRESS])
    except InvalidSecretError as err:
        raise InvalidFieldError(CONF_ADDRESS, "invalid_secret") from err
    except ValueError as err:
        raise InvalidFieldError(CONF_ADDRESS, "invalid_address") from err
