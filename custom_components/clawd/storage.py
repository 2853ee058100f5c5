"""The device identity, kept in a private store."""

from typing import TYPE_CHECKING, Final

from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .gateway import DeviceIdentity

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

STORAGE_KEY: Final = f"{DOMAIN}.identity"
STORAGE_VERSION: Final = 1


async def async_get_identity(hass: HomeAssistant) -> DeviceIdentity:
    """Return the identity by which Gateways know this Home Assistant.

    Raises:
        ConfigEntryError: there is one, but it cannot be read. A new one would
            have to be approved again, so that is for the user to decide.

    """
    store = _store(hass)
    stored = await store.async_load()
    if stored is None:
        identity = DeviceIdentity.generate()
        await store.async_save({"secret": identity.secret})
        return identity
    try:
        return DeviceIdentity.from_secret(stored["secret"])
    except (KeyError, TypeError, ValueError) as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="identity_unreadable",
            translation_placeholders={"file": STORAGE_KEY},
        ) from err


async def async_remove_identity(hass: HomeAssistant) -> None:
    """Forget the identity."""
    await _store(hass).async_remove()


def _store(hass: HomeAssistant) -> Store[dict[str, str]]:
    return Store(hass, STORAGE_VERSION, STORAGE_KEY, private=True, atomic_writes=True)
