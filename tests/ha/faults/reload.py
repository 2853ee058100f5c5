"""Faults that show when the entry is reloaded."""

from collections.abc import Callable
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Event as BusEvent, callback
from homeassistant.helpers.event import async_track_state_change_event

import custom_components.clawd as integration
from custom_components.clawd.coordinator import ClawdCoordinator
from custom_components.clawd.gateway import GatewayClient, GatewayError
from custom_components.clawd.gateway.protocol.connection import Connection
from custom_components.clawd.selftest.resources import ResourceTracker

from ..fault_harness import Fault, FaultHarness, Inject
from ..report_assertions import Expected


async def failing_setup(harness: FaultHarness) -> None:
    """Let the next setup fail."""

    async def fail(*_: object) -> None:
        raise RuntimeError

    harness.monkeypatch.setattr(integration, "async_get_endpoint", fail)


async def task_of_a_former_setup(harness: FaultHarness) -> None:
    """Leave a task behind at each setup."""
    _call_at_setup(harness, harness.start_stray_task)


async def missing_unsubscribe(harness: FaultHarness) -> None:
    """Leave a listener on the bus at each setup."""

    def listen() -> None:
        unsubscribe = harness.hass.bus.async_listen("clawd_event", _ignore)
        harness.cleanup.callback(unsubscribe)

    _call_at_setup(harness, listen)


async def missing_state_unsubscribe(harness: FaultHarness) -> None:
    """Leave a listener to a state at each setup."""

    def listen() -> None:
        unsubscribe = async_track_state_change_event(harness.hass, "sun.sun", _ignore)
        harness.cleanup.callback(unsubscribe)

    _call_at_setup(harness, listen)


async def forgotten_schedule(harness: FaultHarness) -> None:
    """Leave the schedule of the self-test behind at each setup."""
    real: Any = ResourceTracker.async_track

    def track(
        tracker: ResourceTracker,
        entry: ConfigEntry,
        name: str,
        release: Callable[[], None],
    ) -> None:
        if name == "self-test schedule":
            harness.cleanup.callback(release)
        else:
            real(tracker, entry, name, release)

    harness.monkeypatch.setattr(ResourceTracker, "async_track", track)
    await harness.hass.config_entries.async_reload(harness.entry.entry_id)


async def kept_client(harness: FaultHarness) -> None:
    """Keep each client in a closure."""
    real: Any = GatewayClient.wait_connected
    kept: set[GatewayClient] = set()

    async def wait_connected(client: GatewayClient, *, retry: bool = True) -> object:
        kept.add(client)
        return await real(client, retry=retry)

    harness.monkeypatch.setattr(GatewayClient, "wait_connected", wait_connected)


async def kept_connection(harness: FaultHarness) -> None:
    """Keep the connection that ended last."""
    real: Any = Connection.close
    kept: list[Connection] = []

    async def close(connection: Connection, error: GatewayError) -> None:
        kept[:] = [connection]
        await real(connection, error)

    harness.monkeypatch.setattr(Connection, "close", close)


async def open_socket(harness: FaultHarness) -> None:
    """Leave the socket open when the connection ends."""

    async def close(connection: Connection, error: GatewayError) -> None:
        connection.pending.fail_all(error)

    harness.monkeypatch.setattr(Connection, "close", close)


@callback
def _ignore(_: BusEvent[Any]) -> None:
    """Do nothing."""


def _call_at_setup(harness: FaultHarness, call: Callable[[], None]) -> None:
    real: Any = ClawdCoordinator.async_connect

    async def connect(coordinator: ClawdCoordinator) -> None:
        call()
        await real(coordinator)

    harness.monkeypatch.setattr(ClawdCoordinator, "async_connect", connect)


def _drill(inject: Inject, check: str, expected: Expected) -> Fault:
    return Fault(inject, check, expected, mode="drill")


def _left_behind(names: str) -> Expected:
    return Expected(1, {"reloads": 3, "names": names})


_KEPT = Expected(1, {"count": 1})

FAULTS = [
    _drill(
        failing_setup,
        "entry_reload",
        Expected(None, {"state": "setup_error"}, reason="not_reloaded"),
    ),
    _drill(
        task_of_a_former_setup,
        "entry_reload",
        _left_behind("GatewayClient.wait_connected"),
    ),
    _drill(missing_unsubscribe, "bus_listeners", _left_behind("clawd_event")),
    _drill(
        missing_state_unsubscribe,
        "bus_listeners",
        _left_behind("track_state_change_data"),
    ),
    _drill(forgotten_schedule, "bus_listeners", _left_behind("timers")),
    _drill(kept_client, "instances", _KEPT),
    _drill(kept_connection, "instances", _KEPT),
    _drill(open_socket, "sockets", Expected(None, {"before": "#", "after": "#"})),
]
