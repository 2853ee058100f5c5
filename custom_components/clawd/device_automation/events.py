"""Events on Home Assistant's event bus.

The event entities, the device triggers and the logbook get them from there. The
recorder stores them: they carry ids, names and numbers, but no text and no key of a
session.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypedDict

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..device_automation.devices import async_find_device_id
from ..gateway import ConnectionLostError, ConnectionState, Usage
from ..reports import FAILED_STATUSES, failed_checks
from ..util.domain_data import get_domain_data
from ..util.subscriptions import combine_unsubscribes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import Event

    from ..coordinator import ClawdConfigEntry
    from ..gateway import GatewayClient, RunResult, Transition
    from ..runtime.report_history import ReportHistory

EVENT_AGENT: Final = f"{DOMAIN}_agent_event"
EVENT_GATEWAY: Final = f"{DOMAIN}_gateway_event"


class AgentEvent(StrEnum):
    """Type of an event of an agent.

    Attributes:
        REPLY: answer to a waiting user.
        TASK_FINISHED: a task of an action, or an answer that was handed off.
        QUESTION: it waits for an answer.
        MESSAGE_FROM_ELSEWHERE: unsolicited message.

    """

    REPLY = "reply"
    TASK_FINISHED = "task_finished"
    TASK_FAILED = "task_failed"
    QUESTION = "question"
    MESSAGE_FROM_ELSEWHERE = "message_from_elsewhere"


class GatewayEvent(StrEnum):
    """Type of an event of a Gateway."""

    CONNECTED = "connected"
    CONNECTION_LOST = "connection_lost"
    SELF_TEST_FAILED = "self_test_failed"


class _AgentNames(TypedDict):
    """Fields of each event of an agent."""

    type: str
    device_id: str | None
    entry_id: str
    subentry_id: str
    agent: str


def own_fields(event: Event[Any]) -> dict[str, Any]:
    """Return an event's own fields."""
    common = _AgentNames.__required_keys__
    return {key: value for key, value in event.data.items() if key not in common}


@callback
def async_fire_agent_event(  # noqa: PLR0913 - the context has a default
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    event: AgentEvent,
    data: Mapping[str, Any],
    *,
    context: Context | None = None,
) -> None:
    """Fire an event of an agent."""
    names = _AgentNames(
        type=event.value,
        device_id=async_find_device_id(hass, entry, subentry.subentry_id),
        entry_id=entry.entry_id,
        subentry_id=subentry.subentry_id,
        agent=subentry.title,
    )
    hass.bus.async_fire(EVENT_AGENT, {**names, **data}, context=context)


def describe_results(*turns: RunResult) -> dict[str, Any]:
    """Describe the turns of an answer.

    The id is of the last one, the numbers are sums.
    """
    usage = Usage.sum([turn.usage for turn in turns])
    seconds = [turn.duration for turn in turns if turn.duration is not None]
    return {
        "run_id": turns[-1].run_id,
        "seconds": sum(seconds) if seconds else None,
        "total_tokens": usage.total,
        "cost": usage.cost,
    }


@callback
def async_track_gateway_events(
    hass: HomeAssistant, entry: ClawdConfigEntry, client: GatewayClient
) -> Callable[[], None]:
    """Fire the connection events of a Gateway.

    Return the unsubscribe.
    """
    return _ConnectionEvents(hass, entry, client).async_start()


@callback
def async_track_self_test_events(
    hass: HomeAssistant, entry: ClawdConfigEntry, reports: ReportHistory
) -> Callable[[], None]:
    """Fire events for failed self-tests.

    Return the unsubscribe.
    """

    @callback
    def compare() -> None:
        report = reports.reports[-1]
        if report["status"] in FAILED_STATUSES:
            checks = [check["id"] for check in failed_checks(report)]
            data = {"status": report["status"], "failed_checks": checks}
            _async_fire(hass, entry, GatewayEvent.SELF_TEST_FAILED, data)

    return reports.async_add_listener(compare)


# Whether the Gateway was connected, also before a reload.
_CONNECTED: Final[HassKey[bool]] = HassKey("connected")


class _ConnectionEvents:
    """Connection events.

    A reload and a drill of the self-test are none, nor is the first connection after
    the start of Home Assistant if the first attempt succeeds.
    """

    def __init__(
        self, hass: HomeAssistant, entry: ClawdConfigEntry, client: GatewayClient
    ) -> None:
        """Initialize; `async_start()` comes next."""
        self._hass = hass
        self._entry = entry
        self._client = client

    @callback
    def async_start(self) -> Callable[[], None]:
        """Follow the connection; return the stop function."""
        return combine_unsubscribes(
            self._client.subscribe_state(self._handle_transition),
            # Automations ask the agents, which have to be there before.
            self._entry.async_on_state_change(self._handle_connected),
        )

    @callback
    def _handle_transition(self, transition: Transition) -> None:
        if transition.state is ConnectionState.CONNECTED:
            self._handle_connected()
        elif (
            transition.state in {ConnectionState.RECONNECTING, ConnectionState.PAUSED}
            and not transition.drill
            and not _is_intended(transition)
        ):
            data = get_domain_data(self._entry)
            if data.get(_CONNECTED):
                code = transition.error.code if transition.error else None
                self._async_fire(GatewayEvent.CONNECTION_LOST, {"code": code})
            data[_CONNECTED] = False

    @callback
    def _handle_connected(self) -> None:
        connected = self._client.state is ConnectionState.CONNECTED
        if connected and self._entry.state is ConfigEntryState.LOADED:
            data = get_domain_data(self._entry)
            if data.get(_CONNECTED) is False:
                self._async_fire(GatewayEvent.CONNECTED, {})
            data[_CONNECTED] = True

    @callback
    def _async_fire(self, event: GatewayEvent, data: Mapping[str, Any]) -> None:
        _async_fire(self._hass, self._entry, event, data)


@callback
def _async_fire(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    event: GatewayEvent,
    data: Mapping[str, Any],
) -> None:
    hass.bus.async_fire(
        EVENT_GATEWAY,
        {
            "type": event.value,
            "device_id": async_find_device_id(hass, entry, entry.entry_id),
            "entry_id": entry.entry_id,
            **data,
        },
    )


def _is_intended(transition: Transition) -> bool:
    """Return whether the client reconnects on purpose."""
    error = transition.error
    return isinstance(error, ConnectionLostError) and error.intended
