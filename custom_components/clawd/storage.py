"""Private stores of the integration.

Unwritten content stays in use in memory until Home Assistant stops.
"""

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from homeassistant.exceptions import ConfigEntryError, HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .gateway import DeviceIdentity, DeviceToken, error_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from homeassistant.core import HomeAssistant

STORAGE_KEY: Final = f"{DOMAIN}.identity"
STORAGE_VERSION: Final = 1
SIGNAL_STORES_CHANGED: Final = f"{DOMAIN}_stores_changed"
# Used until the entry exists.
NEW_ENTRY: Final = "new"

# Serializes loading and creating the identity.
_IDENTITY_LOCK: Final[HassKey[asyncio.Lock]] = HassKey(f"{DOMAIN}_identity_lock")
# Serializes reads and writes: a write is read back, and another one may be waiting.
_STORE_LOCK: Final[HassKey[asyncio.Lock]] = HassKey(f"{DOMAIN}_store_lock")

type Content = dict[str, Any]
type OnError = Callable[[Exception], object]

# Unwritten content by key; None if a deletion failed.
_UNWRITTEN: Final[HassKey[dict[str, Content | None]]] = HassKey(f"{DOMAIN}_unwritten")


class StoreWriteError(HomeAssistantError):
    """Write failed."""


def _ignore(_: Exception) -> None:
    """Ignore a logged error."""


async def async_get_identity(
    hass: HomeAssistant, on_error: OnError = _ignore
) -> DeviceIdentity:
    """Return the device identity.

    It is created if needed. `on_error` gets the error of a store that cannot be
    written.

    Raises:
        ConfigEntryError: the stored identity cannot be read. A new one would need
            the approval of every Gateway, so the user decides.

    """
    return await _async_get_identity(hass, STORAGE_KEY, on_error)


async def async_get_node_identity(
    hass: HomeAssistant, entry_id: str, on_error: OnError = _ignore
) -> DeviceIdentity:
    """Return the identity of a node.

    It is created if needed.

    Raises:
        ConfigEntryError: as of `async_get_identity`.

    """
    key = _node_key(entry_id)
    # The flow stored it before the entry, and so its id, existed.
    new = await _async_load(hass, _node_key(NEW_ENTRY))
    if new is not None and await _async_load(hass, key) is None:
        await _async_try_to_save(hass, key, new, on_error)
        await _async_try_to_save(hass, _node_key(NEW_ENTRY), None, on_error)
    return await _async_get_identity(hass, key, on_error)


async def async_remove_node_identity(hass: HomeAssistant, entry_id: str) -> None:
    """Remove key and token of a node.

    Another key needs an approval.
    """
    for key in (_node_key(entry_id), _node_token_key(entry_id)):
        await _async_try_to_save(hass, key, None, _ignore)


async def async_save_node_identity(
    hass: HomeAssistant, entry_id: str, identity: DeviceIdentity
) -> None:
    """Save the identity of a node.

    `NEW_ENTRY` is the one created next.
    """
    content = {"secret": identity.secret}
    await _async_try_to_save(hass, _node_key(entry_id), content, _ignore)


async def async_remove_identity(hass: HomeAssistant) -> None:
    """Delete the device identity."""
    await _async_save(hass, STORAGE_KEY, None)


async def _async_get_identity(
    hass: HomeAssistant, key: str, on_error: OnError
) -> DeviceIdentity:
    async with hass.data.setdefault(_IDENTITY_LOCK, asyncio.Lock()):
        if (stored := await _async_load(hass, key)) is None:
            stored = {"secret": DeviceIdentity.generate().secret}
            await _async_try_to_save(hass, key, stored, on_error)
    try:
        return DeviceIdentity.from_secret(stored["secret"])
    except (KeyError, TypeError, ValueError) as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="identity_unreadable",
            translation_placeholders={"file": key},
        ) from err


class DeviceTokenStore:
    """Store of a device token.

    It is bound to its endpoint.

    Attributes:
        on_error: gets the error of a store that cannot be read or written.

    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry_id: str,
        origin: str,
        on_error: OnError = _ignore,
        *,
        node: bool = False,
    ) -> None:
        """Initialize the store for an origin.

        `origin` is that of the `Endpoint`. `node`: the token of the entry's node, not
        of the operator.
        """
        self._hass = hass
        token_key = _node_token_key if node else _token_key
        self._key, self._new_key = token_key(entry_id), token_key(NEW_ENTRY)
        self._origin = origin
        self.on_error = on_error

    async def async_load(self) -> DeviceToken | None:
        """Load the token of this endpoint, if any."""
        if token := await self._async_read(self._key):
            return token
        # The flow stored it before the entry, and so its id, existed.
        if token := await self._async_read(self._new_key):
            await _async_try_to_save(self._hass, self._new_key, None, self.on_error)
            await self.async_try_to_save(token)
        return token

    async def async_save(self, token: DeviceToken | None) -> None:
        """Save a token; None deletes it.

        Raises:
            OSError, HomeAssistantError: it stays in use in memory.

        """
        await _async_save(self._hass, self._key, self._content(token))

    async def async_try_to_save(self, token: DeviceToken | None) -> None:
        """Save a token, or keep it in memory."""
        content = self._content(token)
        await _async_try_to_save(self._hass, self._key, content, self.on_error)

    def _content(self, token: DeviceToken | None) -> Content | None:
        if token is None:
            return None
        return {
            "origin": self._origin,
            "token": token.token,
            "scopes": list(token.scopes),
        }

    async def _async_read(self, key: str) -> DeviceToken | None:
        match await _async_try_to_load(self._hass, key, self.on_error):
            case {"origin": self._origin, "token": str(token), "scopes": list(scopes)}:
                return DeviceToken(token, tuple(scopes))
        return None


class EntryStore(StrEnum):
    """Store of an entry, by the name in its file."""

    HANDOFFS = "handoffs"
    LISTENERS = "listeners"
    REPORTS = "self_tests"
    SESSIONS = "sessions"


async def async_load_store(
    hass: HomeAssistant, store: EntryStore, entry_id: str, on_error: OnError = _ignore
) -> Content | None:
    """Return the content of an entry's store."""
    return await _async_try_to_load(hass, _key(store, entry_id), on_error)


async def async_save_store(
    hass: HomeAssistant,
    store: EntryStore,
    entry_id: str,
    content: Content | None,
    on_error: OnError,
) -> None:
    """Store the content, or keep it in memory; None deletes the store."""
    await _async_try_to_save(hass, _key(store, entry_id), content, on_error)


async def async_write_again(hass: HomeAssistant) -> None:
    """Write the content of failed writes again."""
    unwritten = hass.data.setdefault(_UNWRITTEN, {})
    for key in tuple(unwritten):
        try:
            await _async_write_again(hass, key)
        except Exception as err:  # noqa: BLE001 - it stays in use in memory
            _log(key, err)


def unwritten_stores(
    hass: HomeAssistant, entry_id: str | None = None
) -> tuple[str, ...]:
    """Return the names of unwritten stores.

    With the id of an entry, only those that the entry uses.
    """
    unwritten = hass.data.setdefault(_UNWRITTEN, {})
    keys = [
        key
        for key in unwritten
        if entry_id is None or key == STORAGE_KEY or key.endswith(f".{entry_id}")
    ]
    return tuple(dict.fromkeys(map(_name, keys)))


async def async_remove_entry_data(hass: HomeAssistant, entry_id: str) -> None:
    """Remove all stored data of an entry."""
    keys = (_token_key(entry_id), _node_key(entry_id), _node_token_key(entry_id))
    for key in (*keys, *(_key(store, entry_id) for store in EntryStore)):
        await _async_try_to_save(hass, key, None, _ignore)


async def _async_load(hass: HomeAssistant, key: str) -> Content | None:
    async with _lock(hass):
        unwritten = hass.data.get(_UNWRITTEN, {})
        if key in unwritten:
            return unwritten[key]
        return await _store(hass, key).async_load()


async def _async_save(hass: HomeAssistant, key: str, content: Content | None) -> None:
    async with _lock(hass):
        await _async_write(hass, key, content)


async def _async_write_again(hass: HomeAssistant, key: str) -> None:
    async with _lock(hass):
        # Something newer may have been written meanwhile.
        if key in (unwritten := hass.data[_UNWRITTEN]):
            await _async_write(hass, key, unwritten[key])


async def _async_write(hass: HomeAssistant, key: str, content: Content | None) -> None:
    unwritten = hass.data.setdefault(_UNWRITTEN, {})
    try:
        await _async_write_or_raise(hass, key, content)
    except BaseException:
        unwritten[key] = content
        raise
    else:
        unwritten.pop(key, None)
    finally:
        async_dispatcher_send(hass, SIGNAL_STORES_CHANGED)


async def _async_write_or_raise(
    hass: HomeAssistant, key: str, content: Content | None
) -> None:
    store = _store(hass, key)
    if content is None:
        await store.async_remove()
        return
    await store.async_save(content)
    # `Store` only logs a failed write, and delays it while Home Assistant stops.
    if not hass.is_stopping and not await _async_holds(hass, key, content):
        raise StoreWriteError


async def _async_holds(hass: HomeAssistant, key: str, content: Content) -> bool:
    stored = await _store(hass, key).async_load()
    return json_bytes(stored) == json_bytes(content)


async def _async_try_to_load(
    hass: HomeAssistant, key: str, on_error: OnError
) -> Content | None:
    try:
        return await _async_load(hass, key)
    except (OSError, HomeAssistantError) as err:
        _log(key, err)
        on_error(err)
    return None


async def _async_try_to_save(
    hass: HomeAssistant, key: str, content: Content | None, on_error: OnError
) -> None:
    try:
        await _async_save(hass, key, content)
    except Exception as err:  # noqa: BLE001 - it stays in use in memory
        _log(key, err)
        on_error(err)


def _lock(hass: HomeAssistant) -> asyncio.Lock:
    return hass.data.setdefault(_STORE_LOCK, asyncio.Lock())


def _log(key: str, err: Exception) -> None:
    LOGGER.warning("The store %s cannot be used: %s", _name(key), error_name(err))


def _name(key: str) -> str:
    """Return the name of a store."""
    return ".".join(key.split(".")[:2])


def _token_key(entry_id: str) -> str:
    return _key("device_token", entry_id)


def _node_key(entry_id: str) -> str:
    return _key("node_identity", entry_id)


def _node_token_key(entry_id: str) -> str:
    return _key("node_token", entry_id)


def _key(name: str, entry_id: str) -> str:
    return f"{DOMAIN}.{name}.{entry_id}"


def _store(hass: HomeAssistant, key: str) -> Store[Content]:
    return Store(hass, STORAGE_VERSION, key, private=True, atomic_writes=True)
