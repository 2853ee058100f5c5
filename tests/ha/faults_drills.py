"""Faults that only a drill brings to light, planted in a live system."""

import asyncio
from collections.abc import Callable
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Event as BusEvent, callback
from homeassistant.helpers.event import async_track_state_change_event

import custom_components.clawd as integration
from custom_components.clawd.coordinator import ClawdCoordinator
from custom_components.clawd.gateway import (
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    GatewayError,
    NotConnectedError,
    Transition,
    backoff,
    client as client_module,
)
from custom_components.clawd.gateway.connection import Connection
from custom_components.clawd.gateway.pending import PendingRequests
from custom_components.clawd.ledger import Ledger
from custom_components.clawd.selftest import checks_drills, interruption

from .live import Fault, Live, Plant

RESTART = 1012
ABNORMAL = 1006
LARGE = [f"a.method.that.nobody.knows.{number}" for number in range(4_000)]

_LOGGER = logging.getLogger("custom_components.clawd.gateway.credentials")


def _end_at(live: Live, close_code: int) -> None:
    """Take a close code for the end."""
    real = backoff.least_delay

    def least_delay(error: GatewayError) -> float | None:
        return None if error.code == str(close_code) else real(error)

    live.monkeypatch.setattr(client_module, "least_delay", least_delay)
    live.monkeypatch.setattr(interruption, "BUDGET", 0.5)


def _unsubscribe_at(live: Live, close_code: int) -> None:
    """Forget a subscription when the connection ends with a close code."""
    client = live.runtime.client
    unsubscribe = client.subscribe("tick", lambda _: None)

    def forget(transition: Transition) -> None:
        if transition.error and transition.error.code == str(close_code):
            unsubscribe()

    client.subscribe_state(forget)
    live.runtime.listener_baseline = {"tick": 1, "client.state": 3}


async def end_at_a_restart(live: Live) -> None:
    """Take a restart for the end."""
    _end_at(live, RESTART)


async def end_at_an_abort(live: Live) -> None:
    """Take a cut connection for a clean stop."""
    _end_at(live, ABNORMAL)


async def subscription_lost_at_a_restart(live: Live) -> None:
    """Do not subscribe again after a restart."""
    _unsubscribe_at(live, RESTART)


async def subscription_lost_at_an_abort(live: Live) -> None:
    """Do not subscribe again after a cut."""
    _unsubscribe_at(live, ABNORMAL)


async def drop_that_fails_nothing(live: Live) -> None:
    """Leave requests waiting when their connection ends."""
    live.monkeypatch.setattr(checks_drills, "FAIL_LIMIT", 0.1)
    _at_a_drop(live, lambda *_: None)


async def drop_that_cancels(live: Live) -> None:
    """Cancel requests when their connection ends, without a word why."""

    def cancel_all(requests: PendingRequests, _: GatewayError) -> None:
        for request in requests.snapshot():
            request.future.cancel()

    _at_a_drop(live, cancel_all)


async def drop_that_fails_late(live: Live) -> None:
    """Let requests wait a while when their connection ends."""
    real: Any = PendingRequests.fail_all
    live.monkeypatch.setattr(checks_drills, "FAIL_LIMIT", 0.05)

    def fail_late(requests: PendingRequests, error: GatewayError) -> None:
        timer = live.hass.loop.call_later(0.08, real, requests, error)
        live.afterwards.callback(timer.cancel)

    _at_a_drop(live, fail_late)


async def cut_that_comes_late(live: Live) -> None:
    """Cut the connection only after its requests were answered."""
    real: Any = GatewayClient.interrupt

    async def interrupt(client: GatewayClient, close_code: int | None = None) -> None:
        await client.request("health")
        await real(client, close_code)

    live.monkeypatch.setattr(GatewayClient, "interrupt", interrupt)


async def surviving_reader(live: Live) -> None:
    """Leave a task behind with each connection that is lost."""
    real: Any = Connection.serve

    async def serve(connection: Connection, *duties: object) -> GatewayError:
        error: GatewayError = await real(connection, *duties)
        _wait_for_ever(live)
        return error

    live.monkeypatch.setattr(Connection, "serve", serve)
    await live.reconnected()


async def growing_list(live: Live) -> None:
    """Keep every response."""
    kept: list[object] = []
    real: Any = PendingRequests.resolve

    def resolve(requests: PendingRequests, response: object) -> None:
        kept.append(response)
        real(requests, response)

    live.monkeypatch.setattr(PendingRequests, "resolve", resolve)
    live.gateway.edit("hello-ok", _enlarge)


async def token_in_the_log(live: Live) -> None:
    """Log the token for debugging."""
    real: Any = Connection.handshake

    async def handshake(
        connection: Connection, credentials: Credentials, deadline: float
    ) -> None:
        _LOGGER.debug("connect with %s", credentials.token)
        await real(connection, credentials, deadline)

    live.monkeypatch.setattr(Connection, "handshake", handshake)


async def token_in_a_traceback(live: Live) -> None:
    """Log an exception whose text has the token."""
    real: Any = Connection.handshake

    async def handshake(
        connection: Connection, credentials: Credentials, deadline: float
    ) -> None:
        error = NotConnectedError(f"refused: {credentials.token}")
        _LOGGER.debug("no connection", exc_info=error)
        await real(connection, credentials, deadline)

    live.monkeypatch.setattr(Connection, "handshake", handshake)


async def failing_set_up(live: Live) -> None:
    """Let the set-up fail when it is done again."""

    async def fail(*_: object) -> None:
        raise RuntimeError

    live.monkeypatch.setattr(integration, "async_get_endpoint", fail)


async def task_of_a_former_life(live: Live) -> None:
    """Leave a task behind with each set-up."""
    real: Any = ClawdCoordinator.async_connect

    async def connect(coordinator: ClawdCoordinator) -> None:
        _wait_for_ever(live)
        await real(coordinator)

    live.monkeypatch.setattr(ClawdCoordinator, "async_connect", connect)


async def missing_unsubscribe(live: Live) -> None:
    """Leave a listener on the bus with each set-up."""
    real: Any = ClawdCoordinator.async_connect

    @callback
    def listen(_: BusEvent[Any]) -> None:
        """Do nothing."""

    async def connect(coordinator: ClawdCoordinator) -> None:
        live.afterwards.callback(live.hass.bus.async_listen("clawd_event", listen))
        await real(coordinator)

    live.monkeypatch.setattr(ClawdCoordinator, "async_connect", connect)


async def missing_state_unsubscribe(live: Live) -> None:
    """Leave a listener to a state with each set-up."""
    real: Any = ClawdCoordinator.async_connect

    @callback
    def listen(_: BusEvent[Any]) -> None:
        """Do nothing."""

    async def connect(coordinator: ClawdCoordinator) -> None:
        untrack = async_track_state_change_event(live.hass, "sun.sun", listen)
        live.afterwards.callback(untrack)
        await real(coordinator)

    live.monkeypatch.setattr(ClawdCoordinator, "async_connect", connect)


async def held_client(live: Live) -> None:
    """Hold each client in a closure."""
    real: Any = GatewayClient.wait_connected
    held: set[GatewayClient] = set()

    async def wait_connected(client: GatewayClient, *, patient: bool = True) -> object:
        held.add(client)
        return await real(client, patient=patient)

    live.monkeypatch.setattr(GatewayClient, "wait_connected", wait_connected)


async def forgotten_schedule(live: Live) -> None:
    """Let each life of the entry leave its schedule behind."""
    real: Any = Ledger.async_hold

    def hold(
        ledger: Ledger, entry: ConfigEntry, name: str, release: Callable[[], None]
    ) -> None:
        if name == "self-test schedule":
            live.afterwards.callback(release)
        else:
            real(ledger, entry, name, release)

    live.monkeypatch.setattr(Ledger, "async_hold", hold)
    await live.hass.config_entries.async_reload(live.entry.entry_id)


async def held_connection(live: Live) -> None:
    """Hold the connection that ended last."""
    real: Any = Connection.close
    held: list[Connection] = []

    async def close(connection: Connection, error: GatewayError) -> None:
        held[:] = [connection]
        await real(connection, error)

    live.monkeypatch.setattr(Connection, "close", close)


async def open_socket(live: Live) -> None:
    """Leave the socket open when the client stops."""

    async def close(connection: Connection, error: GatewayError) -> None:
        connection.pending.fail_all(error)

    live.monkeypatch.setattr(Connection, "close", close)


def _at_a_drop(
    live: Live, fail_all: Callable[[PendingRequests, GatewayError], object]
) -> None:
    """Do something else than to fail the requests of a connection that is cut."""
    real: Any = PendingRequests.fail_all

    def choose(requests: PendingRequests, error: GatewayError) -> None:
        asked = any(request.method == "health" for request in requests.snapshot())
        (fail_all if asked else real)(requests, error)

    live.monkeypatch.setattr(PendingRequests, "fail_all", choose)


def _wait_for_ever(live: Live) -> None:
    """Let our code wait for something that nobody brings about."""
    other = GatewayClient(
        Endpoint("127.0.0.1", 9),
        Credentials(DeviceIdentity.generate(), ClientInfo("0")),
    )
    task = asyncio.create_task(other.wait_connected())
    live.afterwards.callback(task.cancel)


def _enlarge(hello: dict[str, Any]) -> None:
    hello["features"]["methods"] += LARGE


def _drill(plant: Plant, check: str) -> Fault:
    return Fault(plant, check, mode="drill")


FAULTS = [
    _drill(end_at_a_restart, "drill_restart"),
    _drill(subscription_lost_at_a_restart, "drill_restart"),
    _drill(end_at_an_abort, "drill_abort"),
    _drill(subscription_lost_at_an_abort, "drill_abort"),
    _drill(drop_that_fails_nothing, "disconnect_fails_all"),
    _drill(drop_that_cancels, "disconnect_fails_all"),
    _drill(drop_that_fails_late, "disconnect_fails_all"),
    _drill(cut_that_comes_late, "disconnect_fails_all"),
    _drill(surviving_reader, "task_growth"),
    _drill(growing_list, "memory"),
    _drill(token_in_the_log, "log_redaction"),
    _drill(token_in_a_traceback, "log_redaction"),
    _drill(failing_set_up, "entry_reload"),
    _drill(task_of_a_former_life, "entry_reload"),
    _drill(missing_unsubscribe, "bus_listeners"),
    _drill(missing_state_unsubscribe, "bus_listeners"),
    _drill(forgotten_schedule, "bus_listeners"),
    _drill(held_client, "instances"),
    _drill(held_connection, "instances"),
    _drill(open_socket, "sockets"),
]
