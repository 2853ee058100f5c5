"""Changes of the exposed home."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.homeassistant.exposed_entities import (
    async_listen_entity_updates,
)
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED
from homeassistant.const import (
    ATTR_DOMAIN,
    EVENT_COMPONENT_LOADED,
    EVENT_SERVICE_REGISTERED,
    EVENT_SERVICE_REMOVED,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
)
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import LOGGER
from ..util.subscriptions import combine_unsubscribes
from .apis import ASSISTANT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from homeassistant.util.event_type import EventType

    from ..coordinator import ClawdConfigEntry

# Seconds to collect changes: a restart or a rename makes many.
COOLDOWN: Final = 3.0
SCRIPT: Final = "script"
EVENTS: Final[tuple[EventType[Any] | str, ...]] = (
    EVENT_COMPONENT_LOADED,
    er.EVENT_ENTITY_REGISTRY_UPDATED,
    dr.EVENT_DEVICE_REGISTRY_UPDATED,
    ar.EVENT_AREA_REGISTRY_UPDATED,
    fr.EVENT_FLOOR_REGISTRY_UPDATED,
)
SERVICE_EVENTS: Final[tuple[EventType[Any] | str, ...]] = (
    EVENT_SERVICE_REGISTERED,
    EVENT_SERVICE_REMOVED,
)


@callback
def async_track_exposure(
    hass: HomeAssistant,
    async_update: Callable[[], Coroutine[Any, Any, None]],
    entry: ClawdConfigEntry,
) -> Callable[[], None]:
    """Track changes; return the unsubscribe.

    `async_update` is called some time after a change. Home Assistant has no event for
    LLM APIs and platforms: they come and go with components and config entries. After a
    connect, agents may have other models.
    """
    debouncer: Debouncer[Coroutine[Any, Any, None]] = Debouncer(
        hass,
        LOGGER,
        cooldown=COOLDOWN,
        immediate=False,
        function=async_update,
    )

    @callback
    def changed(*_: object) -> None:
        debouncer.async_schedule_call()

    @callback
    def is_script(data: Mapping[str, Any]) -> bool:
        return bool(data.get(ATTR_DOMAIN) == SCRIPT)

    coordinator = entry.runtime_data.coordinator

    @callback
    def agents_changed() -> None:
        if coordinator.agents_current:
            changed()

    return combine_unsubscribes(
        debouncer.async_shutdown,
        coordinator.async_add_listener(agents_changed),
        async_listen_entity_updates(hass, ASSISTANT, changed),
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed),
        *(hass.bus.async_listen(event, changed) for event in EVENTS),
        *(
            hass.bus.async_listen(event, changed, event_filter=is_script)
            for event in SERVICE_EVENTS
        ),
    )
