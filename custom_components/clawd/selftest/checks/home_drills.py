"""Drills on the node connection."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Final

from ...gateway import GatewayError
from ...home.tools import ACTION, HOME_STATE
from ...reports import Origin, Status
from .. import drill_tools
from ..drill_tools import PREREQUISITES, drill
from ..home_tools import (
    HARMLESS_ACTION,
    agents_with_access,
    home_of,
    node_of,
    offers,
    shown_name,
    temporary_session_key,
    wanted_names,
)
from ..model import CheckResult, Component, milliseconds
from ..prerequisites import home_node, home_node_connected, home_published
from .drills import FAIL_TIMEOUT, REQUEST_TIMEOUT, SERVICE_RESTART, drill_reconnect

if TYPE_CHECKING:
    from ...gateway import NodeCall
    from ..model import CheckContext

# Seconds until the Gateway has the tools again; it answers at once.
PUBLISH_TIMEOUT: Final = 5.0
# Seconds until the Gateway hands a call over.
CALL_TIMEOUT: Final = 5.0

home_drill = partial(
    drill,
    component=Component.HOME,
    requires=(*PREREQUISITES, home_node, home_node_connected, home_published),
)


@home_drill(max_lag=drill_tools.MAX_LAG)
async def check_home_restart(context: CheckContext) -> CheckResult:
    """Tools offered again after a simulated Gateway restart.

    The Gateway forgets them.
    """
    return await _drill_tools(context, SERVICE_RESTART)


@home_drill(max_lag=drill_tools.MAX_LAG)
async def check_home_cut(context: CheckContext) -> CheckResult:
    """Tools offered again after a lost connection.

    Networks break.
    """
    return await _drill_tools(context, None)


@home_drill(max_lag=FAIL_TIMEOUT / 2)
async def check_home_call_cut(context: CheckContext) -> CheckResult:
    """Tool call during a lost connection: it must end.

    It would go on although its agent no longer waits.
    """
    if not offers(context, HARMLESS_ACTION):
        return CheckResult(status=Status.SKIP, reason="home_no_harmless_action")
    node, home = node_of(context), home_of(context)
    name = shown_name(context, HOME_STATE)
    key = temporary_session_key(agents_with_access(context)[0].agent)
    call = home.probes[key] = _HeldCall()
    request = asyncio.create_task(_call(context, name, key))
    request.add_done_callback(lambda _: call.settled.set())
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(CALL_TIMEOUT):
                await call.settled.wait()
        if not call.held:
            return CheckResult(status=Status.SKIP, reason="home_call_not_held")
        drill_tools.require_no_runs(context, calls=1)
        started = perf_counter()
        await drill_tools.interrupt(node.client)
        await asyncio.wait([request], timeout=FAIL_TIMEOUT)
        seconds = perf_counter() - started
        answered = request.done()
    finally:
        del home.probes[key]
        request.cancel()
    await _wait_until_published(context)
    faults = {
        "the call goes on": not call.ended,
        "the call is counted as open": bool(node.host.open_calls),
        "the agent waits": not answered,
    }
    found = tuple(fault for fault, is_found in faults.items() if is_found)
    # Informing the agent is up to the Gateway.
    only_waits = found == ("the agent waits",)
    return CheckResult(
        status=Status.FAIL if found else Status.PASS,
        observed=round(seconds * 1000, 3),
        unit="ms",
        expected=f"< {FAIL_TIMEOUT * 1000:g}",
        origin=Origin.GATEWAY if only_waits else None,
        placeholders={"time": milliseconds(seconds)},
        details=found,
    )


class _HeldCall:
    """Handler of a call, blocking until cancelled.

    Attributes:
        settled: the call has arrived, or does not come.

    """

    def __init__(self) -> None:
        """Initialize without a call."""
        self.settled = asyncio.Event()
        self.held = self.ended = False

    async def __call__(self, _: NodeCall) -> str:
        """Hold a call."""
        self.held = True
        self.settled.set()
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        try:
            return await never
        finally:
            self.ended = True


async def _call(context: CheckContext, name: str, key: str) -> None:
    arguments = {ACTION: HARMLESS_ACTION}
    # The failure is expected.
    with suppress(GatewayError):
        await context.runtime.client.tools.invoke(name, arguments, key, REQUEST_TIMEOUT)


async def _drill_tools(context: CheckContext, close_code: int | None) -> CheckResult:
    result = await drill_reconnect(context, node_of(context).client, close_code)
    if result.status is not Status.PASS:
        return result
    missing = await _wait_until_published(context)
    if not missing:
        return result
    return replace(
        result,
        status=Status.FAIL,
        reason="home_tools_lost",
        placeholders={"names": ", ".join(sorted(missing))},
    )


async def _wait_until_published(context: CheckContext) -> set[str]:
    """Wait until the Gateway has the tools.

    Return those it lacks.
    """
    host, changed = node_of(context).host, asyncio.Event()
    unsubscribe = host.subscribe(changed.set)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(PUBLISH_TIMEOUT):
                while wanted_names(context) - {*host.published}:
                    changed.clear()
                    await changed.wait()
    finally:
        unsubscribe()
    return wanted_names(context) - {*host.published}
