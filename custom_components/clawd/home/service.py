"""Service that offers the home to agents."""

import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from homeassistant.components.intent.const import TIMER_DATA
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.start import async_at_started
from homeassistant.util.hass_dict import HassKey

from ..const import LOGGER
from ..coordinator import find_runtime
from ..util.subscriptions import combine_unsubscribes
from .apis import llm_context
from .calls import CallState, async_handle_call
from .cameras import find_cameras
from .confirmation import Confirmations
from .elsewhere import SessionLookup
from .exposure import async_track_exposure
from .limits import (
    MAX_LOOKS_OF_HOUR,
    MAX_LOOKS_OF_MINUTE,
    MAX_MESSAGES_OF_HOUR,
    MAX_MESSAGES_OF_MINUTE,
    AgentLimits,
    CallLimits,
)
from .looking import HOME_LOOK, LOOK_TOOL
from .messages import MessageTool, build_message_tool
from .node_tools import build_node_tools
from .origin import OriginRegistry
from .settings import AgentHome, HomeAccess, agent_homes
from .statistics import HomeStatistics
from .tools import async_get_home_tools
from .voice_devices import ANNOUNCE, START_CONVERSATION, find_voice_devices

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from ..coordinator import ClawdConfigEntry
    from ..gateway import NodeCall, NodeTool
    from .looking import Vision
    from .tools import HomeTool

_SERVICE: Final[HassKey[HomeService]] = HassKey("home")


class Host(Protocol):
    """Node for publishing tools."""

    @property
    def published(self) -> tuple[str, ...]:
        """Return the published names."""

    def set_tools(self, tools: Sequence[NodeTool]) -> None:
        """Publish these tools from now on."""


class HomeService:
    """Home access of an entry's agents.

    Attributes:
        prefix: precedes the names of the tools, as another home has them too.
        clock: monotonic.
        origins: origin of the run in each session.
        tools: tools that are offered.
        omitted: number of Home Assistant's tools that cannot be offered.
        rebuilds: how often the tools were built.
        rebuild_seconds: duration of the last build.
        limits: counts of control calls.
        messages: counters of unsolicited messages.
        looks: counts of looks through cameras.
        probes: handlers of the self-test, by the key of a session of its own.

    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ClawdConfigEntry,
        to_speech: Callable[[str], str],
        vision: Vision,
    ) -> None:
        """Initialize without a node.

        `to_speech` returns a text as it is spoken.
        """
        self._hass = hass
        self._entry = entry
        self._vision = vision
        self._camera_agents: frozenset[str] = frozenset()
        self._host: Host | None = None
        self._unsubscribe = combine_unsubscribes()
        self.prefix = ""
        self.clock = time.monotonic
        self.origins = OriginRegistry(self._now)
        self.confirmations = Confirmations(self._now)
        self.statistics = HomeStatistics()
        self.limits = CallLimits(self._now)
        self.messages = AgentLimits(
            self._now, "messages", MAX_MESSAGES_OF_MINUTE, MAX_MESSAGES_OF_HOUR
        )
        self.looks = AgentLimits(
            self._now, "looks", MAX_LOOKS_OF_MINUTE, MAX_LOOKS_OF_HOUR
        )
        describe = entry.runtime_data.client.sessions.describe
        self._state = CallState(
            self.origins,
            SessionLookup(describe, self.origins, self._now),
            self.limits,
            self.messages,
            self.looks,
            to_speech,
            vision,
            self._now,
            self.confirmations,
            self.statistics,
        )
        self.tools: tuple[NodeTool, ...] = ()
        self.omitted = 0
        self.rebuilds = 0
        self.rebuild_seconds = 0.0
        self.probes: dict[str, Callable[[NodeCall], Awaitable[str]]] = {}

    def _now(self) -> float:
        return self.clock()

    @property
    def published(self) -> tuple[str, ...]:
        """Return the published names."""
        return self._host.published if self._host else ()

    def published_for(self, home: AgentHome) -> tuple[str, ...]:
        """Return the published names for an agent."""
        can_look = home.subentry_id in self._camera_agents
        return tuple(name for name in self.published if can_look or name != HOME_LOOK)

    @callback
    def async_start(self) -> None:
        """Start tracking the home.

        The tools are built once Home Assistant has started.
        """
        self._entry.runtime_data.data[_SERVICE] = self
        self._unsubscribe = combine_unsubscribes(
            async_track_exposure(self._hass, self.async_update_tools, self._entry),
            async_at_started(self._hass, self._async_started),
        )

    @callback
    def async_stop(self) -> None:
        """Stop following the home."""
        self._entry.runtime_data.data.pop(_SERVICE, None)
        self._unsubscribe()

    @callback
    def async_attach(self, host: Host, prefix: str = "") -> None:
        """Publish by a node from now on."""
        self._host, self.prefix = host, prefix
        host.set_tools(self.tools)

    async def async_handle(self, call: NodeCall) -> str:
        """Handle a call of the node.

        Raises:
            NodeCallError: it was refused or failed.

        """
        if probe := self.probes.get(call.session_key or ""):
            return await probe(call)
        return await async_handle_call(self._hass, self._entry, self._state, call)

    async def async_dry_run(self, call: NodeCall) -> str:
        """Check a call without control.

        Raises:
            NodeCallError: it was refused or failed.

        """
        return await async_handle_call(
            self._hass, self._entry, self._state, call, dry_run=True
        )

    async def async_update_tools(self) -> None:
        """Build the tools and publish changes."""
        homes = agent_homes(self._entry)
        self._camera_agents = await self._async_find_camera_agents(homes)
        started = time.perf_counter()
        read = _apis(homes, HomeAccess.READ, HomeAccess.CONTROL)
        controlled = _apis(homes, HomeAccess.CONTROL)
        state = control = await self._async_tools(read)
        if controlled != read:
            control = await self._async_tools(controlled)
        self.rebuilds += 1
        self.omitted = state.count(None)
        tools = build_node_tools(state, control) + self._message_tools(homes)
        if self._camera_agents:
            tools += (LOOK_TOOL,)
        self.rebuild_seconds = time.perf_counter() - started
        LOGGER.debug(
            "Built %s tools in %.3f s, %s actions omitted",
            len(tools),
            self.rebuild_seconds,
            self.omitted,
        )
        if tools == self.tools:
            return
        self.tools = tools
        if self._host:
            self._host.set_tools(tools)

    async def _async_tools(self, apis: tuple[str, ...]) -> list[HomeTool | None]:
        """Return the tools of some APIs."""
        timers = self._hass.data.get(TIMER_DATA)
        # Only a device with timers has their tools: each call is decided by its own.
        device_id = next(iter(timers.handlers), None) if timers else None
        context = llm_context(self._hass, device_id=device_id)
        return await async_get_home_tools(self._hass, apis, context)

    async def _async_find_camera_agents(
        self, homes: Iterable[AgentHome]
    ) -> frozenset[str]:
        """Return the agents with camera access.

        None without an exposed camera.
        """
        if not find_cameras(self._hass):
            return frozenset()
        return frozenset(
            [
                home.subentry_id
                for home in homes
                if home.looks and await self._vision.async_can_see(home.subentry_id)
            ]
        )

    def _message_tools(self, homes: Iterable[AgentHome]) -> tuple[NodeTool, ...]:
        """Return the available message tools."""
        if not any(home.speaks_first for home in homes):
            return ()
        tools = [MessageTool.NOTIFY]
        if find_voice_devices(self._hass, START_CONVERSATION):
            tools.insert(0, MessageTool.ASK)
        if find_voice_devices(self._hass, ANNOUNCE):
            tools.insert(0, MessageTool.ANNOUNCE)
        return tuple(build_message_tool(tool) for tool in tools)

    async def _async_started(self, _: HomeAssistant) -> None:
        await self.async_update_tools()


def _apis(homes: Iterable[AgentHome], *accesses: HomeAccess) -> tuple[str, ...]:
    """Return the APIs of agents by access."""
    apis = [api for home in homes if home.access in accesses for api in home.apis]
    return tuple(dict.fromkeys(apis))


def has_home_access(entry: ConfigEntry[Any]) -> bool:
    """Return whether any agent has access."""
    return any(home.access is not HomeAccess.NONE for home in agent_homes(entry))


def get_home(entry: ClawdConfigEntry) -> HomeService | None:
    """Return the home service of an entry.

    None unless it is loaded and an agent has access.
    """
    runtime = find_runtime(entry)
    return runtime.data.get(_SERVICE) if runtime else None
