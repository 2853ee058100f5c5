"""Runtime data of an entry, and the coordinator of its connection."""

import asyncio
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
import logging
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util.hass_dict import HassDict

from .const import DOMAIN, LOGGER, MODELS
from .error_mapping import setup_error
from .gateway import (
    AgentList,
    Cause,
    ConnectionLostError,
    ConnectionState,
    Credentials,
    Event,
    GatewayClient,
    GatewayError,
    NotConnectedError,
    PauseReason,
    Transition,
    pause_reason,
)
from .runtime.node import NodeRuntime
from .runtime.report_history import ReportHistory
from .runtime.speech import SpeechCoordinator
from .util.loop_monitor import LoopMonitor

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.helpers.entity_platform import EntityPlatform

MAX_TASK_ENDS: Final = 64

# Pauses that start a reauth flow: only new credentials end them.
REAUTH_PAUSES: Final = (PauseReason.TOKEN, PauseReason.SCOPES, PauseReason.DEVICE)

# Pauses in which this client refuses the Gateway, and not the Gateway this client.
OWN_REFUSALS: Final = (PauseReason.CERTIFICATE, PauseReason.TRANSPORT)


@dataclass
class DeliveryStatistics:
    """Counters of unsolicited messages.

    Attributes:
        outcomes: deliveries by the way they took.
        failures: failed ways, by code.
        pending: start of each delivery under way, on the monotonic clock.

    """

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    pending: dict[object, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StartedTask:
    """Task started by an action.

    Attributes:
        deadline: time of the monotonic clock by which it has ended.
        subentry_id: of its agent.
        unstopped: keys of the texts on what may go on after it was cancelled.

    """

    task: asyncio.Task[None]
    deadline: float
    subentry_id: str = ""
    unstopped: list[str] = field(default_factory=list)


@dataclass
class ClawdRuntime:
    """Runtime data of an entry.

    Attributes:
        listener_baseline: number of listeners per event after setup.
        events_before: counters of the client before the setup; its counters
            outlive a reload.
        platforms_before: platforms listed before the setup; Home Assistant 2026.3
            still lists those of the last one.
        loop_monitor: lag of the event loop.
        speech: text to speech by the Gateway.
        voice_loaded: its platform is set up.
        voice_task: sets it up after the setup of the entry.
        session_turns: held by the question that a session answers.
        first_words: seconds from a question to the first words, by agent's subentry.
        deliveries: counters of unsolicited messages.
        node: None unless an agent has access to the home, and the Gateway can offer it.
        ended_sessions: keys of temporary sessions awaiting deletion.
        background_tasks: those of this entry, besides the client's.
        started_tasks: tasks that an action has started, by id, until they end.
        temporary_listeners: number of those per event that end with a question.
        task_ends: how often the end of each of the last ones was told, by id.
        data: what the packages above keep of a loaded entry, by typed key.
        ended: the entry is being unloaded, or its setup has failed.

    """

    client: GatewayClient
    credentials: Credentials
    coordinator: ClawdCoordinator
    reports: ReportHistory
    speech: SpeechCoordinator
    listener_baseline: Mapping[str, int] = field(default_factory=dict)
    events_before: Mapping[str, int] = field(default_factory=dict)
    platforms_before: frozenset[EntityPlatform] = frozenset()
    loop_monitor: LoopMonitor = field(default_factory=LoopMonitor)
    session_turns: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary
    )
    deliveries: DeliveryStatistics = field(default_factory=DeliveryStatistics)
    background_tasks: set[asyncio.Task[None]] = field(default_factory=set)
    first_words: dict[str, deque[float]] = field(default_factory=dict)
    node: NodeRuntime | None = None
    voice_loaded: bool = False
    voice_task: asyncio.Task[None] | None = None
    ended_sessions: set[str] = field(default_factory=set)
    started_tasks: dict[str, StartedTask] = field(default_factory=dict)
    temporary_listeners: Counter[str] = field(default_factory=Counter)
    task_ends: Counter[str] = field(default_factory=Counter)
    data: HassDict = field(default_factory=HassDict)
    ended: bool = False

    def end(self) -> None:
        """Start no more tasks."""
        self.ended = True

    def count_task_end(self, task_id: str) -> None:
        """Count the end of a task."""
        self.task_ends[task_id] += 1
        while len(self.task_ends) > MAX_TASK_ENDS:
            del self.task_ends[next(iter(self.task_ends))]

    def session_turn(self, session_key: str) -> asyncio.Lock:
        """Return the lock of a session."""
        return self.session_turns.setdefault(session_key, asyncio.Lock())

    @property
    def all_credentials(self) -> tuple[Credentials, ...]:
        """Return the credentials of all clients."""
        if self.node is None:
            return (self.credentials,)
        return (self.credentials, self.node.credentials)

    @property
    def clients(self) -> tuple[GatewayClient, ...]:
        """Return the clients of the entry."""
        return (self.client, self.node.client) if self.node else (self.client,)

    @contextmanager
    def listening(
        self, event: str, listener: Callable[[Event], None]
    ) -> Iterator[None]:
        """Listen to an event within the context.

        The self-test expects it.
        """
        unsubscribe = self.client.subscribe(event, listener)
        self._expect_listeners(event, 1)
        try:
            yield
        finally:
            unsubscribe()
            self._expect_listeners(event, -1)

    def _expect_listeners(self, event: str, more: int) -> None:
        self.temporary_listeners[event] += more
        expected = {**self.listener_baseline}
        expected[event] = expected.get(event, 0) + more
        self.listener_baseline = {name: n for name, n in expected.items() if n}


type ClawdConfigEntry = ConfigEntry[ClawdRuntime]


def subentries_of_type(
    entry: ConfigEntry[Any], subentry_type: str
) -> list[ConfigSubentry]:
    """Return the subentries of a type.

    Later versions of Home Assistant have `ConfigEntry.get_subentries_of_type`.
    """
    subentries = entry.subentries.values()
    return [one for one in subentries if one.subentry_type == subentry_type]


def find_runtime(entry: ClawdConfigEntry) -> ClawdRuntime | None:
    """Return the runtime of an entry, if loaded."""
    return getattr(entry, "runtime_data", None)


def get_runtime(entry: ClawdConfigEntry) -> ClawdRuntime:
    """Return the runtime, or raise if unloaded.

    Raises:
        NotConnectedError: it is unloaded.

    """
    if (runtime := find_runtime(entry)) is None:
        raise NotConnectedError("the entry is not loaded")
    return runtime


@callback
def async_create_background_task(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    target: Coroutine[Any, Any, None],
    name: str,
) -> asyncio.Task[None]:
    """Start a task bound to the entry.

    The self-test expects it. One that comes too late is cancelled without a start.
    """
    runtime = find_runtime(entry)
    if runtime is None or runtime.ended:
        # Home Assistant has cancelled the tasks of the entry: it would outlive them.
        LOGGER.debug("Not started during an unload: %s", name)
        task = hass.async_create_background_task(target, name, eager_start=False)
        task.cancel()
        return task
    task = entry.async_create_background_task(hass, target, name)
    runtime.background_tasks.add(task)
    task.add_done_callback(runtime.background_tasks.discard)
    return task


class ClawdCoordinator(DataUpdateCoordinator[ConnectionState]):
    """Connection state, pushed by the client.

    Attributes:
        agents: agents of the Gateway, from the last request.
        agents_current: whether they are from the current connection.
        last_disconnect: transition of the last lost connection.

    """

    config_entry: ClawdConfigEntry
    agents: AgentList

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ClawdConfigEntry,
        client: GatewayClient,
        credentials: Credentials,
    ) -> None:
        """Initialize the coordinator; `async_subscribe()` comes next."""
        super().__init__(hass, LOGGER, config_entry=entry, name=DOMAIN)
        self.client = client
        self.credentials = credentials
        self.data = client.state
        self.last_disconnect: Transition | None = None
        self.agents_current = False
        self._was_connected = False
        self._refusal = ""

    @property
    def connected(self) -> bool:
        """Return whether the Gateway is connected."""
        return self.data is ConnectionState.CONNECTED

    @callback
    def async_subscribe(self) -> Mapping[str, Callable[[], None]]:
        """Subscribe to the client; return the unsubscribes."""
        return {
            listener.__name__: self.client.subscribe_state(listener)
            for listener in (self._async_handle_transition, self._async_update_agents)
        }

    async def async_connect(self) -> None:
        """Start the client and await its first attempt.

        Raises:
            ConfigEntryNotReady: the attempt failed, and a later one may not.
            ConfigEntryAuthFailed: the Gateway wants another token.
            ConfigEntryError: no attempt can succeed.

        """
        self.config_entry.async_create_background_task(
            self.hass, self.client.run(), "clawd run"
        )
        try:
            await self.client.wait_connected(retry=False)
            await self.async_refresh_agents()
        except GatewayError as err:
            if pause_reason(err) in REAUTH_PAUSES:
                self.config_entry.async_start_reauth(self.hass)
            raise setup_error(err) from err
        self._was_connected = True
        self._async_abort_reauth()

    async def async_refresh_agents(self) -> AgentList:
        """Request the agents and tell the listeners.

        Raises:
            GatewayError: the Gateway did not answer, or with an error.

        """
        self.agents = await self.client.agents.list()
        self.agents_current = True
        self.async_update_listeners()
        return self.agents

    async def _async_update_agents(self, transition: Transition) -> None:
        """Refresh the agents after a reconnect."""
        if transition.state is not ConnectionState.CONNECTED or not self._was_connected:
            return
        try:
            await self.async_refresh_agents()
        except GatewayError as err:
            LOGGER.debug("Agents not refreshed: %s", err.code)
            # The traceback would keep the lost connection alive.
            err.with_traceback(None)

    @callback
    def _async_handle_transition(self, transition: Transition) -> None:
        if self._was_connected:
            self._async_log(transition)
        self.agents_current = False
        self.async_set_updated_data(transition.state)

    @callback
    def _async_log(self, transition: Transition) -> None:
        """Log connection changes once each."""
        code = transition.error.code if transition.error else ""
        if transition.state is ConnectionState.CLOSED:
            return
        if transition.cause is Cause.LIMITED:
            LOGGER.warning("The Gateway grants fewer scopes than needed (%s)", code)
            return
        if transition.previous is ConnectionState.CONNECTED and transition.drill:
            LOGGER.info("The self-test interrupts the connection (%s)", code)
        elif transition.previous is ConnectionState.CONNECTED:
            self.last_disconnect = transition
            LOGGER.log(
                logging.INFO if _expected(transition.error) else logging.WARNING,
                "Connection to the Gateway lost (%s)",
                code,
            )
        elif transition.state is ConnectionState.CONNECTED:
            LOGGER.info("Connection to the Gateway restored")
            self._refusal = ""
            self._async_update_device()
            self._async_abort_reauth()
        elif transition.state is ConnectionState.PAUSED and code != self._refusal:
            self._refusal = code
            if transition.pause in OWN_REFUSALS:
                LOGGER.warning("The Gateway's address is not trusted (%s)", code)
            else:
                LOGGER.warning("The Gateway refuses the connection (%s)", code)
            if transition.pause in REAUTH_PAUSES:
                self.config_entry.async_start_reauth(self.hass)

    @callback
    def _async_abort_reauth(self) -> None:
        """Abort the reauth flow after a reconnect."""
        flows = self.hass.config_entries.flow
        ours = {"entry_id": self.config_entry.entry_id, "source": SOURCE_REAUTH}
        for flow in flows.async_progress_by_handler(DOMAIN, match_context=ours):
            flows.async_abort(flow["flow_id"])

    @callback
    def _async_update_device(self) -> None:
        """Update model and version of the device."""
        registry = dr.async_get(self.hass)
        entry_id = self.config_entry.entry_id
        hello = self.client.hello
        for device in dr.async_entries_for_config_entry(registry, entry_id):
            if hello and (DOMAIN, entry_id) in device.identifiers:
                registry.async_update_device(
                    device.id,
                    model=MODELS[hello.protocol],
                    sw_version=hello.server_version,
                )


def _expected(error: GatewayError | None) -> bool:
    """Return whether a disconnect is expected.

    The Gateway announced its restart, or the client connects again with new scopes.
    """
    return isinstance(error, ConnectionLostError) and (
        error.announced or error.intended
    )
