"""Checks of tool calls and offered tools."""

import asyncio
from dataclasses import fields
from time import perf_counter
from typing import TYPE_CHECKING, Final

from ...gateway import RequestFailedError, RequestTimeoutError
from ...home.limits import TOO_MANY_CALLS
from ...home.tools import ACTION, HOME_STATE
from ...reports import Mode, Origin, Status
from ..home_tools import (
    HARMLESS_ACTION,
    agents_with_access,
    home_of,
    node_of,
    not_exposed,
    offers,
    self_test_origin,
    shown_name,
    temporary_session_key,
    wanted_names,
)
from ..model import CheckResult, Component, check, expect_none, warn_if_any
from ..prerequisites import (
    connected,
    home_node,
    home_node_connected,
    home_offered,
    home_published,
)
from .requests import (
    OVERDUE_TOLERANCE,
    ROUND_TRIP_FAIL,
    ROUND_TRIPS,
    measure_round_trips,
)

if TYPE_CHECKING:
    from ...gateway import NodeStatistics
    from ..model import CheckContext

# Seconds after which a change of the exposure has reached the tools; they are built
# 3 s after it.
EXPOSURE_DELAY: Final = 4.0


@check(
    component=Component.HOME,
    mode=Mode.ACTIVE,
    origin=Origin.GATEWAY,
    requires=(home_node, connected, home_node_connected, home_published),
    timeout=30,
)
async def check_home_round_trip(context: CheckContext) -> CheckResult:
    """Round trip of a tool call via the Gateway.

    The agent waits for it.
    """
    if context.gateway_slow:
        return CheckResult(status=Status.SKIP, reason="gateway_slow")
    if not offers(context, HARMLESS_ACTION):
        return CheckResult(status=Status.SKIP, reason="home_no_harmless_action")
    name = shown_name(context, HOME_STATE)
    try:
        return await measure_round_trips(
            context, lambda: _round_trip(context, name), ROUND_TRIP_FAIL, ROUND_TRIPS
        )
    except RequestFailedError as err:
        return CheckResult(
            status=Status.FAIL,
            reason="home_call_failed",
            observed=err.code,
            placeholders={"code": err.code},
        )


@check(component=Component.HOME, requires=(home_node,), max_lag=OVERDUE_TOLERANCE)
async def check_home_calls(context: CheckContext) -> CheckResult:
    """Overdue tool calls, or without an outcome.

    Their agents would wait for them.
    """
    node = node_of(context)
    host, loop = node.host, asyncio.get_running_loop()
    overdue = await context.recheck(
        lambda: [
            call
            for call in host.open_calls
            if loop.time() - call.deadline > OVERDUE_TOLERANCE
        ]
    )
    lost = abs(_without_outcome(host.statistics) - len(host.open_calls))
    return expect_none(
        len(overdue) or lost,
        "calls",
        issued=host.statistics.issued,
        answered=host.statistics.answered,
        open=len(host.open_calls),
        overdue=len(overdue),
        lost=lost,
    )


@check(component=Component.HOME, origin=Origin.GATEWAY, requires=(home_offered,))
async def check_home_limits(context: CheckContext) -> CheckResult:
    """Tool calls refused by the rate limits.

    The agent may be in a loop.
    """
    outcomes = home_of(context).statistics.outcomes
    return warn_if_any(outcomes[TOO_MANY_CALLS.lower()], "calls")


@check(component=Component.HOME, requires=(home_node,), timeout=10)
async def check_home_exposure(context: CheckContext) -> CheckResult:
    """Offered entities that are not exposed.

    Agents must not reach unexposed entities.
    """
    found = not_exposed(context)
    if found:
        # A change just now is followed after some seconds.
        await asyncio.sleep(EXPOSURE_DELAY)
        found &= not_exposed(context)
    # No names: the report is made to be shared.
    kinds = sorted({one.kind for one in found})
    return expect_none(
        len(found),
        "names",
        count=len(wanted_names(context)),
        offered=len(found),
        kinds=", ".join(kinds),
    )


async def _round_trip(context: CheckContext, name: str) -> float:
    agent = agents_with_access(context)[0]
    key, arguments = temporary_session_key(agent.agent), {ACTION: HARMLESS_ACTION}
    tools, started = context.runtime.client.tools, perf_counter()
    with home_of(context).origins.run(key, self_test_origin(context, agent)):
        try:
            await tools.invoke(name, arguments, key, ROUND_TRIP_FAIL)
        except RequestTimeoutError:
            return ROUND_TRIP_FAIL
    return perf_counter() - started


def _without_outcome(statistics: NodeStatistics) -> int:
    """Return the number of calls without outcome."""
    others = ("issued", "repeated")
    outcomes: int = sum(
        getattr(statistics, field.name)
        for field in fields(statistics)
        if field.name not in others
    )
    return statistics.issued - outcomes
