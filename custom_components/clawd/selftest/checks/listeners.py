"""Checks of event listeners."""

from typing import TYPE_CHECKING, Final

from .. import detectors
from ..model import CheckResult, Component, check, expect_none, for_each_client
from ..prerequisites import setup_complete

if TYPE_CHECKING:
    from ...gateway import GatewayClient
    from ..model import CheckContext

MAX_NAMES: Final = 10


@check(component=Component.HOME_ASSISTANT)
@for_each_client
async def check_handler_duplicates(
    context: CheckContext, client: GatewayClient
) -> CheckResult:
    """Duplicate listeners.

    Everything would happen twice.
    """
    events = await context.recheck(
        lambda: detectors.duplicates(client.introspection.listeners)
    )
    return _listener_result(events, client)


@check(component=Component.HOME_ASSISTANT, requires=(setup_complete,))
@for_each_client
async def check_handler_baseline(
    context: CheckContext, client: GatewayClient
) -> CheckResult:
    """Count of listeners, against that after setup.

    Each additional one is a leak.
    """
    node, baseline = context.runtime.node, context.runtime.listener_baseline
    if node and client is node.client:
        baseline = node.listener_baseline
    events = await context.recheck(
        lambda: detectors.changed_counts(baseline, client.introspection.listeners)
    )
    return _listener_result(events, client)


@check(component=Component.HOME_ASSISTANT)
async def check_handler_errors(context: CheckContext) -> CheckResult:
    """Exceptions of listeners.

    An event was not handled.
    """
    count = context.counted("listener_errors")
    return expect_none(count, "exceptions", count=count)


def _listener_result(events: list[str], client: GatewayClient) -> CheckResult:
    return expect_none(
        len(events),
        "events",
        count=sum(map(len, client.introspection.listeners.values())),
        names=", ".join(events[:MAX_NAMES]),
    )
