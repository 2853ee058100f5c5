"""The private stores: device identity, device tokens, reports of self-tests."""

import asyncio
from typing import Any, Final
from weakref import WeakKeyDictionary

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .gateway import DeviceIdentity, DeviceToken

STORAGE_KEY: Final = f"{DOMAIN}.identity"
STORAGE_VERSION: Final = 1
# In the place of the id of an entry that is yet to be made.
NEW_ENTRY: Final = "new"

# Who reads or makes the identity.
_IDENTITY: Final[WeakKeyDictionary[HomeAssistant, asyncio.Lock]] = WeakKeyDictionary()


async def async_get_identity(hass: HomeAssistant) -> DeviceIdentity:
    """Return the identity by which Gateways know this Home Assistant.

    There is one, however many entries are set up at the same time.

    Raises:
        ConfigEntryError: there is one, but it cannot be read. A new one would
            have to be approved again, so that is for the user to decide.

    """
    store = _store(hass, STORAGE_KEY)
    async with _IDENTITY.setdefault(hass, asyncio.Lock()):
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
    """Forget the identity."""
    await _store(hass, STORAGE_KEY).async_remove()


class DeviceTokenStore:
    """The token that the Gateway of an entry gave to this device.

    It is bound to the endpoint that it came from: another one never sees it.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str, origin: str) -> None:
        """Keep it for `origin`, see `Endpoint.origin`."""
        self._store = _store(hass, _token_key(entry_id))
        self._handed_over = _store(hass, _token_key(NEW_ENTRY))
        self._origin = origin

    async def async_load(self) -> DeviceToken | None:
        """Return the token, if there is one from this endpoint.

        The flow that made the entry may have handed it over.
        """
        if token := await self._async_read(self._store):
            return token
        if token := await self._async_read(self._handed_over):
            await self._handed_over.async_remove()
            await self.async_save(token)
        return token

    async def async_save(self, token: DeviceToken | None) -> None:
        """Keep a token, or forget it."""
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
    """Return the store of the last reports of an entry."""
    return _store(hass, f"{DOMAIN}.self_tests.{entry_id}")


async def async_forget_entry(hass: HomeAssistant, entry_id: str) -> None:
    """Forget the token and the reports of an entry."""
    await _store(hass, _token_key(entry_id)).async_remove()
    await report_store(hass, entry_id).async_remove()


def _token_key(entry_id: str) -> str:
    return f"{DOMAIN}.device_token.{entry_id}"


def _store(hass: HomeAssistant, key: str) -> Store[dict[str, Any]]:
    return Store(hass, STORAGE_VERSION, key, private=True, atomic_writes=True)
