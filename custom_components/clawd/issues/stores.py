"""Issue of the stores that cannot be written."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval

from ..storage import SIGNAL_STORES_CHANGED, async_write_again, unwritten_stores
from ..util.subscriptions import combine_unsubscribes
from .registry import Issue, async_create_issue, async_delete_issue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


STORE_RETRY_INTERVAL: Final = timedelta(minutes=5)


@callback
def async_track_store_issue(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> Callable[[], None]:
    """Track unwritten stores and retry writing."""

    @callback
    def update() -> None:
        if names := unwritten_stores(hass, entry.entry_id):
            placeholders = {"names": ", ".join(names)}
            async_create_issue(hass, entry, Issue.STORE_NOT_WRITTEN, placeholders)
        else:
            async_delete_issue(hass, entry, Issue.STORE_NOT_WRITTEN)

    async def async_retry(_now: datetime) -> None:
        await async_write_again(hass)

    update()
    return combine_unsubscribes(
        async_dispatcher_connect(hass, SIGNAL_STORES_CHANGED, update),
        async_track_time_interval(
            hass, async_retry, STORE_RETRY_INTERVAL, cancel_on_shutdown=True
        ),
    )
