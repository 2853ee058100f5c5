"""Warm-up of a started Gateway.

OpenClaw loads plugins with its first run after a start, which takes 4 to 15 seconds;
the runs that follow take a third of a second. Only a run does it: not the catalog of
tools, not a run of the model alone, not one that is stopped when it is accepted. One
that is stopped at its lifecycle event `start` is enough on an idle machine; on a busy
one, what it needs for the model's answer is not loaded by then, and its request has
gone out anyway.
"""

import asyncio
from collections import Counter, deque
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
import time
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import (
    CONF_AGENT,
    CONF_PERMISSIONS,
    CONF_WARM_UP,
    LOGGER,
    SUBENTRY_CONVERSATION,
)
from ..coordinator import async_create_background_task, subentries_of_type
from ..gateway import ConnectionState, GatewayError, RequestFailedError, RunRequest
from ..util.domain_data import get_domain_data
from ..util.drill_lock import DrillLock, drill_lock
from .rights import Permissions, Rights
from .session_settings import async_patch_session
from .throwaway import throwaway_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..coordinator import ClawdConfigEntry
    from ..gateway import GatewayClient, Transition

# Seconds. Later, somebody else's first question has probably warmed it up, or no
# question is likely to come soon.
MAX_UPTIME: Final = 60.0
# Seconds by which the start of the same process may seem to differ.
SAME_START: Final = 5.0
# Seconds; up to 15 were measured, and 80 on a busy machine.
WARM_UP_TIMEOUT: Final = 120.0
MAX_STARTS: Final = 32

MESSAGE: Final = "Hello"
WARM_UP_TASK: Final = "clawd warm-up"


@dataclass
class WarmUps:
    """Warm-ups of an entry, across reloads.

    Attributes:
        starts: start of each warmed-up Gateway, on the monotonic clock.
        failed: counts by code.
        seconds: of the last one, until the agent answered.
        session: key of the last one's session.
        running: one is at work.

    """

    starts: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_STARTS))
    failed: Counter[str] = field(default_factory=Counter)
    seconds: float | None = None
    session: str = field(default="", repr=False)
    running: bool = False

    @property
    def repeated(self) -> int:
        """Return the number of repeated warm-ups.

        Of the same start.
        """
        pairs = pairwise(sorted(self.starts))
        return sum(is_same_start(first, second) for first, second in pairs)


# A reload within the minute repeats no warm-up.
_WARM_UPS: Final[HassKey[WarmUps]] = HassKey("warm_ups")


def get_warm_ups(entry: ConfigEntry[Any]) -> WarmUps:
    """Return the warm-ups of an entry."""
    return get_domain_data(entry).setdefault(_WARM_UPS, WarmUps())


def is_same_start(first: float, second: float) -> bool:
    """Return whether two start times are equal."""
    return abs(first - second) < SAME_START


@callback
def async_track_starts(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> Callable[[], None]:
    """Warm up now and later; return the unsubscribe."""
    unsubscribe = entry.runtime_data.client.subscribe_state(
        partial(_async_handle_transition, hass, entry)
    )
    _async_warm_up_new(hass, entry)
    return unsubscribe


@callback
def _async_handle_transition(
    hass: HomeAssistant, entry: ClawdConfigEntry, transition: Transition
) -> None:
    # A drill of the self-test cuts the connection, and restarts no Gateway.
    if transition.state is ConnectionState.CONNECTED and not transition.drill:
        _async_warm_up_new(hass, entry)


@callback
def _async_warm_up_new(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Warm up a Gateway once each start."""
    client, warm_ups = entry.runtime_data.client, get_warm_ups(entry)
    agent, started_at = _agent_of(entry), _recent_start(client)
    if agent is None or started_at is None or not entry.options.get(CONF_WARM_UP, True):
        return
    known = any(is_same_start(started_at, start) for start in warm_ups.starts)
    # A run in progress has the same effect.
    if known or client.introspection.runs:
        return
    warm_ups.starts.append(started_at)
    async_create_background_task(
        hass, entry, _async_warm_up(hass, entry, agent), WARM_UP_TASK
    )


def _recent_start(client: GatewayClient) -> float | None:
    """Return the time of a recent start.

    None on v3, or if it was long ago.
    """
    uptime = client.hello.uptime if client.hello else None
    if uptime is None or uptime >= MAX_UPTIME:
        return None
    return time.monotonic() - uptime


def _agent_of(entry: ClawdConfigEntry) -> str | None:
    """Return the most likely agent."""
    agents = entry.runtime_data.coordinator.agents
    conversations = subentries_of_type(entry, SUBENTRY_CONVERSATION)
    chosen = (subentry.data[CONF_AGENT] for subentry in conversations)
    return next((agent for agent in chosen if agents.get(agent)), None)


def _may_be_unrestricted(entry: ClawdConfigEntry) -> bool:
    """Return whether all agents are unrestricted."""
    return all(
        subentry.data.get(CONF_PERMISSIONS) == Permissions.GATEWAY
        for subentry in subentries_of_type(entry, SUBENTRY_CONVERSATION)
    )


async def _async_warm_up(
    hass: HomeAssistant, entry: ClawdConfigEntry, agent: str
) -> None:
    """Run an agent until its first word."""
    warm_ups, started = get_warm_ups(entry), time.monotonic()
    warm_ups.running = True
    try:
        async with (
            asyncio.timeout(WARM_UP_TIMEOUT),
            throwaway_session(hass, entry, agent) as key,
        ):
            warm_ups.session = key
            await async_run_until_reply(
                entry.runtime_data.client,
                drill_lock(entry),
                key,
                unrestricted=_may_be_unrestricted(entry),
            )
    except GatewayError as err:
        warm_ups.failed[err.code or type(err).__name__] += 1
        LOGGER.debug("Gateway not warmed up: %s", err.code)
        # The traceback would keep a lost connection alive.
        err.with_traceback(None)
    except TimeoutError:
        warm_ups.failed["TIMEOUT"] += 1
        LOGGER.debug("Gateway not warmed up in time")
    else:
        warm_ups.seconds = time.monotonic() - started
        LOGGER.debug("Gateway warmed up in %.1f s", warm_ups.seconds)
    finally:
        warm_ups.running = False


async def async_run_until_reply(
    client: GatewayClient, lock: DrillLock, key: str, *, unrestricted: bool = False
) -> None:
    """Start a run, and stop it when answered.

    Raises:
        GatewayError: the Gateway did not answer, or refused; also to let the agent
            only read, unless it may be `unrestricted`.

    """
    mode = Rights.READ_ONLY.permission_mode
    async with lock.question():
        try:
            await async_patch_session(client, key, {"permission_mode": mode})
        except RequestFailedError as err:
            # Earlier versions of OpenClaw cannot.
            if not unrestricted:
                raise
            LOGGER.debug("Session not restricted: %s", err.code)
        run = await client.start_run(
            RunRequest(MESSAGE, key, lightweight=True, include_tools=True)
        )
    try:
        # With its first word, or the start of a tool.
        async with aclosing(run.parts()) as parts:
            await anext(parts, None)
    finally:
        await run.abort()
