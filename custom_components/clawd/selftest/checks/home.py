"""Checks of the node connection."""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ...gateway import PLUGIN_ID, PairingRequiredError, RequestFailedError, takes_tools
from ...home.visibility import ALL_PLUGINS, HIDING_PROFILES
from ...reports import Mode, Origin, Status
from ..home_tools import agents_with_access, home_of, node_of, shown_name, wanted_names
from ..model import CheckResult, Component, check, expect_none
from ..prerequisites import (
    connected,
    home_node,
    home_node_connected,
    home_offered,
    home_published,
)

if TYPE_CHECKING:
    from ..model import CheckContext

APPROVED: Final = "approved"


@check(
    component=Component.HOME, origin=Origin.GATEWAY, requires=(home_offered, connected)
)
async def check_home_method(context: CheckContext) -> CheckResult:
    """Support for the home's tools at the Gateway.

    Without it, agents are only told of the home.
    """
    hello = context.runtime.client.hello
    supported = takes_tools(hello)
    result = CheckResult(
        status=Status.PASS if supported else Status.WARN,
        observed=int(supported),
        unit="methods",
        expected=1,
        placeholders={"version": hello.server_version if hello else "?"},
    )
    if supported and context.runtime.node is None:
        return replace(
            result,
            status=Status.FAIL,
            reason="home_not_started",
            origin=Origin.HOME_ASSISTANT,
        )
    return result


@check(
    component=Component.HOME,
    mode=Mode.ACTIVE,
    origin=Origin.GATEWAY,
    requires=(home_node, connected),
)
async def check_home_approval(context: CheckContext) -> CheckResult:
    """Approval of the home by the Gateway.

    Until then, its tools are not offered.
    """
    node = node_of(context)
    if isinstance(node.client.last_error, PairingRequiredError):
        state = node.client.last_error.code
    else:
        nodes = await context.runtime.client.nodes.list()
        states = [one.approval for one in nodes if one.id == node.client.device_id]
        state = states[0] if states else "unknown"
    return CheckResult(
        status=Status.PASS if state == APPROVED else Status.FAIL,
        observed=state,
        expected=APPROVED,
        placeholders={"state": state},
    )


@check(
    component=Component.HOME,
    mode=Mode.ACTIVE,
    origin=Origin.GATEWAY,
    requires=(home_node, connected, home_node_connected, home_published),
)
async def check_home_visible(context: CheckContext) -> CheckResult:
    """Visibility of the home's tools to the agents.

    The Gateway's tool profile may hide them.
    """
    names = node_of(context).host.published
    profile, visible = await _visible_tools(context)
    # Without the prefix: it is the home's name, and reports are shared.
    hidden = sorted(
        name
        for name in names
        if visible is not None and shown_name(context, name) not in visible
    )
    return expect_none(
        len(hidden),
        "tools",
        count=len(names),
        names=", ".join(hidden),
        profile=profile or "full",
    )


@check(
    component=Component.HOME,
    origin=Origin.HOME_ASSISTANT,
    requires=(home_node, home_node_connected),
)
async def check_home_holder(context: CheckContext) -> CheckResult:
    """Other connections with this home's key.

    Only one of them can serve calls.
    """
    node = node_of(context)
    return expect_none(int(node.host.displaced), "connections")


@check(
    component=Component.HOME,
    origin=Origin.GATEWAY,
    requires=(home_node, connected),
)
async def check_home_published(context: CheckContext) -> CheckResult:
    """Tools accepted by the Gateway, against those offered.

    Agents cannot call a missing tool.
    """
    node = node_of(context)
    if reason := _known_problem(context):
        return CheckResult(status=Status.SKIP, reason=reason)
    missing = await context.recheck(
        lambda: sorted(wanted_names(context) - {*node.host.published})
    )
    result = expect_none(
        len(missing),
        "tools",
        count=len(node.host.published),
        names=", ".join(missing),
        code=node.host.publish_error or "-",
    )
    if not missing:
        return result
    if node.client.hello is None:
        error = node.client.last_error
        code = error.code if error else "-"
        return replace(result, reason="home_disconnected", placeholders={"code": code})
    # A refusal of the whole list is a fault of the integration.
    fault = node.host.publish_error == "INVALID_REQUEST"
    return replace(result, origin=Origin.INTEGRATION if fault else Origin.GATEWAY)


def _known_problem(context: CheckContext) -> str | None:
    """Return the fault found by another check."""
    node = node_of(context)
    approval = context.result_of("home_approval")
    unapproved = approval and approval.status is Status.FAIL
    if unapproved or isinstance(node.client.last_error, PairingRequiredError):
        return "home_not_approved"
    return "home_displaced" if node.host.displaced else None


async def _visible_tools(context: CheckContext) -> tuple[str, Collection[str] | None]:
    """Return the profile and the visible tools.

    The tools are None if all are visible.
    """
    tools = context.runtime.client.tools
    keys = [home_of(context).origins.last_session]
    keys += [f"agent:{home.agent}:main" for home in agents_with_access(context)]
    for key in filter(None, keys):
        try:
            effective = await tools.effective(key)
        except RequestFailedError:
            # The session does not exist before its first question.
            continue
        return effective.profile, effective.of_plugin(PLUGIN_ID)
    policy = await tools.policy()
    hides = policy.profile in HIDING_PROFILES
    allowed = {PLUGIN_ID, ALL_PLUGINS} & {*policy.also_allow}
    return policy.profile, policy.also_allow if hides and not allowed else None
