"""Private stores: device identity, device tokens, reports of self-tests."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .gateway import DeviceIdentity, DeviceToken

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

STORAGE_KEY: Final = f"{DOMAIN}.identity"
STORAGE_VERSION: Final = 1
# Used until the entry exists.
NEW_ENTRY: Final = "new"

# Serializes loading and creating the identity.
_IDENTITY_LOCK: Final[HassKey[asyncio.Lock]] = HassKey(f"{DOMAIN}_identity_lock")


async def async_get_identity(hass: HomeAssistant) -> DeviceIdentity:
    """Return the device identity; create it if needed.

    Raises:
        ConfigEntryError: the stored identity cannot be read. A new one would need
            the approval of every Gateway, so the user decides.

    """
    store = _store(hass, STORAGE_KEY)
    async with hass.data.setdefault(_IDENTITY_LOCK, asyncio.Lock()):
        if (stored := await store.async_load()) is None:
            stored = {"secret": DeviceIdentity.generate().secret}
            await store.async_save(stored)
    try:
        return DeviceIdentity.from_secret(stored["secret"])
    except (KeyError, TypeError, ValueError) as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="identity_unreadable",
            translation_placeholders={"file": STORAGE_KEY},
        ) from err


async def async_remove_identity(hass: HomeAssistant) -> None:
    """Delete the device identity."""
    await _store(hass, STORAGE_KEY).async_remove()


class DeviceTokenStore:
    """Device token, bound to its endpoint."""

    def __init__(self, hass: HomeAssistant, entry_id: str, origin: str) -> None:
        """Initialize the store; `origin` is the one of the `Endpoint`."""
        self._store = _store(hass, _token_key(entry_id))
        self._new_entry_store = _store(hass, _token_key(NEW_ENTRY))
        self._origin = origin

    async def async_load(self) -> DeviceToken | None:
        """Return the token that this endpoint issued, if any."""
        if token := await self._async_read(self._store):
            return token
        # The flow stored it before the entry, and so its id, existed.
        if token := await self._async_read(self._new_entry_store):
            await self._new_entry_store.async_remove()
            await self.async_save(token)
        return token

    async def async_save(self, token: DeviceToken | None) -> None:
        """Store a token; None deletes it."""
        if token is None:
            await self._store.async_remove()
            return
        await self._store.async_save(
            {
                "origin": self._origin,
                "token": token.token,
                "scopes": list(token.scopes),
            }
        )

    async def _async_read(self, store: Store[dict[str, Any]]) -> DeviceToken | None:
        match await store.async_load():
            case {"origin": self._origin, "token": str(token), "scopes": list(scopes)}:
                return DeviceToken(token, tuple(scopes))
        return None


def report_store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    """Return the store of an entry's reports."""
    return _store(hass, f"{DOMAIN}.self_tests.{entry_id}")


async def async_remove_entry_data(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the token and the reports of an entry."""
    await _store(hass, _token_key(entry_id)).async_remove()
    await report_store(hass, entry_id).async_remove()


def _token_key(entry_id: str) -> str:
    return f"{DOMAIN}.device_token.{entry_id}"


def _store(hass: HomeAssistant, key: str) -> Store[dict[str, Any]]:
    return Store(hass, STORAGE_VERSION, key, private=True, atomic_writes=True)
