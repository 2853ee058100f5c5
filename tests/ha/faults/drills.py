"""Faults that show when the connection is interrupted."""

from collections.abc import Callable
import logging
from typing import Any

from custom_components.clawd.gateway import (
    Credentials,
    GatewayClient,
    GatewayError,
    NotConnectedError,
    Transition,
    backoff,
    reconnect,
)
from custom_components.clawd.gateway.protocol.connection import Connection
from custom_components.clawd.gateway.protocol.pending import PendingRequests
from custom_components.clawd.selftest import drill_tools
from custom_components.clawd.selftest.checks import drills

from ..fault_harness import Fault, FaultHarness, Inject
from ..report_assertions import MEASURED, Expected

SERVICE_RESTART = 1012
ABNORMAL_CLOSURE = 1006
LARGE = [f"a.method.that.nobody.knows.{number}" for number in range(4_000)]

_LOGGER = logging.getLogger("custom_components.clawd.gateway.credentials")


async def stop_at_a_restart(harness: FaultHarness) -> None:
    """Do not reconnect after a restart."""
    _stop_at(harness, SERVICE_RESTART)


async def stop_at_an_abort(harness: FaultHarness) -> None:
    """Do not reconnect after the connection was cut."""
    _stop_at(harness, ABNORMAL_CLOSURE)


async def subscription_lost_at_a_restart(harness: FaultHarness) -> None:
    """Lose a subscription at a restart."""
    _unsubscribe_at(harness, SERVICE_RESTART)


async def subscription_lost_at_an_abort(harness: FaultHarness) -> None:
    """Lose a subscription when the connection is cut."""
    _unsubscribe_at(harness, ABNORMAL_CLOSURE)


async def requests_that_never_fail(harness: FaultHarness) -> None:
    """Leave requests open when the connection is cut."""
    harness.monkeypatch.setattr(drills, "FAIL_TIMEOUT", 0.1)
    _replace_fail_all(harness, lambda *_: None)


async def requests_that_are_cancelled(harness: FaultHarness) -> None:
    """Cancel requests, without an error, when the connection is cut."""

    def cancel_all(requests: PendingRequests, _: GatewayError) -> None:
        for request in requests.snapshot():
            request.future.cancel()

    _replace_fail_all(harness, cancel_all)


async def requests_that_fail_late(harness: FaultHarness) -> None:
    """Let requests fail late when the connection is cut."""
    real: Any = PendingRequests.fail_all
    harness.monkeypatch.setattr(drills, "FAIL_TIMEOUT", 0.05)

    def fail_late(requests: PendingRequests, error: GatewayError) -> None:
        timer = harness.hass.loop.call_later(0.08, real, requests, error)
        harness.cleanup.callback(timer.cancel)

    _replace_fail_all(harness, fail_late)


async def late_cut(harness: FaultHarness) -> None:
    """Cut the connection only after its requests were answered."""
    real: Any = GatewayClient.interrupt

    async def interrupt(client: GatewayClient, close_code: int | None = None) -> None:
        await client.request("health")
        await real(client, close_code)

    harness.monkeypatch.setattr(GatewayClient, "interrupt", interrupt)


async def surviving_reader(harness: FaultHarness) -> None:
    """Leave a task behind at each lost connection."""
    real: Any = Connection.serve

    async def serve(connection: Connection, *args: object) -> GatewayError:
        error: GatewayError = await real(connection, *args)
        harness.start_stray_task()
        return error

    harness.monkeypatch.setattr(Connection, "serve", serve)
    await harness.reconnect()


async def growing_list(harness: FaultHarness) -> None:
    """Keep every response."""
    kept: list[object] = []
    real: Any = PendingRequests.resolve

    def resolve(requests: PendingRequests, response: object) -> None:
        kept.append(response)
        real(requests, response)

    harness.monkeypatch.setattr(PendingRequests, "resolve", resolve)
    harness.gateway.edit("hello-ok", _enlarge)


async def token_in_the_log(harness: FaultHarness) -> None:
    """Log the token at debug level."""

    def log(token: str | None) -> None:
        _LOGGER.debug("connect with %s", token, extra={"injected": True})

    _log_at_handshake(harness, log)


async def token_in_a_traceback(harness: FaultHarness) -> None:
    """Log an exception whose text holds the token."""

    def log(token: str | None) -> None:
        error = NotConnectedError(f"refused: {token}")
        _LOGGER.debug("no connection", exc_info=error)

    _log_at_handshake(harness, log)


def _stop_at(harness: FaultHarness, close_code: int) -> None:
    real = backoff.minimum_delay

    def minimum_delay(error: GatewayError) -> float | None:
        return None if error.code == str(close_code) else real(error)

    harness.monkeypatch.setattr(reconnect, "minimum_delay", minimum_delay)
    harness.monkeypatch.setattr(drill_tools, "RECONNECT_TIMEOUT", 0.5)


def _unsubscribe_at(harness: FaultHarness, close_code: int) -> None:
    client = harness.runtime.client
    unsubscribe = client.subscribe("tick", lambda _: None)

    def forget(transition: Transition) -> None:
        if transition.error and transition.error.code == str(close_code):
            unsubscribe()

    client.subscribe_state(forget)
    harness.runtime.listener_baseline = {
        event: len(listeners)
        for event, listeners in client.introspection.listeners.items()
    }


def _replace_fail_all(
    harness: FaultHarness, fail_all: Callable[[PendingRequests, GatewayError], object]
) -> None:
    """Replace the failure of requests at a cut."""
    real: Any = PendingRequests.fail_all

    def choose(requests: PendingRequests, error: GatewayError) -> None:
        open_requests = requests.snapshot()
        cut = any(request.method == "health" for request in open_requests)
        (fail_all if cut else real)(requests, error)

    harness.monkeypatch.setattr(PendingRequests, "fail_all", choose)


def _log_at_handshake(harness: FaultHarness, log: Callable[[str | None], None]) -> None:
    real: Any = Connection.handshake

    async def handshake(
        connection: Connection, credentials: Credentials, *args: object
    ) -> None:
        log(credentials.token)
        await real(connection, credentials, *args)

    harness.monkeypatch.setattr(Connection, "handshake", handshake)


def _enlarge(hello: dict[str, Any]) -> None:
    hello["features"]["methods"] += LARGE


def _drill(inject: Inject, check: str, expected: Expected) -> Fault:
    return Fault(inject, check, expected, mode="drill")


def _reconnected(code: int, names: str) -> Expected:
    return Expected(MEASURED, {"code": code, "time": "#", "names": names})


_NONE_FAILED = Expected(0, {"count": 5, "failed": 0, "slowest": "#"})
_SOME_FAILED = Expected(None, {"count": 5, "failed": "#", "slowest": "#"})
_LOGGED = Expected(1, {"names": _LOGGER.name})

FAULTS = [
    _drill(stop_at_a_restart, "drill_restart", _reconnected(SERVICE_RESTART, "-")),
    _drill(
        subscription_lost_at_a_restart,
        "drill_restart",
        _reconnected(SERVICE_RESTART, "tick"),
    ),
    _drill(stop_at_an_abort, "drill_abort", _reconnected(ABNORMAL_CLOSURE, "-")),
    _drill(
        subscription_lost_at_an_abort,
        "drill_abort",
        _reconnected(ABNORMAL_CLOSURE, "tick"),
    ),
    _drill(requests_that_never_fail, "disconnect_fails_all", _NONE_FAILED),
    _drill(requests_that_are_cancelled, "disconnect_fails_all", _NONE_FAILED),
    _drill(requests_that_fail_late, "disconnect_fails_all", _SOME_FAILED),
    _drill(late_cut, "disconnect_fails_all", _NONE_FAILED),
    _drill(
        surviving_reader,
        "task_growth",
        Expected(1, {"reconnects": 3, "names": "GatewayClient.wait_connected"}),
    ),
    _drill(growing_list, "memory", Expected(None, {"reconnects": 3, "kib": "#"})),
    _drill(token_in_the_log, "log_redaction", _LOGGED),
    _drill(token_in_a_traceback, "log_redaction", _LOGGED),
]
