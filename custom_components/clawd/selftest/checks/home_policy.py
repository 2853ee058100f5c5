"""Check of the rules by which calls of the home are refused."""

from typing import TYPE_CHECKING, Final
from uuid import uuid4

from homeassistant.components.homeassistant import async_should_expose
from homeassistant.core import CoreState

from ...gateway import NodeCall, NodeCallError
from ...home.apis import ASSISTANT, llm_context
from ...home.caller import NOT_ALLOWED
from ...home.calls import CONFIRMATION_REQUIRED, DONE
from ...home.sensitivity import LOCK, find_sensitive
from ...home.settings import HomeAccess, SensitiveActions
from ...home.targets import Targets
from ...home.tools import ACTION, HOME_CONTROL, async_get_home_tools
from ...reports import Status
from ..home_tools import agents_with_access, home_of, self_test_origin, throw_away_key
from ..model import CheckResult, Component, check, expect_none
from ..prerequisites import home_offered

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from homeassistant.core import HomeAssistant

    from ...gateway import Json
    from ...home.settings import AgentHome
    from ...home.tools import HomeTool
    from ..model import CheckContext

# Unlocks: `HassTurnOff` of Home Assistant does so with locks.
UNLOCK: Final = "HassTurnOff"
# Neither is there: were they not refused, nothing would be done either.
MADE_UP_ACTION: Final = "clawd_self_test"
MADE_UP_LOCK: Final = "lock.clawd_self_test"
TIMEOUT: Final = 5.0
ALLOWED: Final = "allowed"


@check(component=Component.HOME, requires=(home_offered,))
async def check_home_policy(context: CheckContext) -> CheckResult:
    """Refusal of calls that must be refused, in a session that nobody uses.

    Nobody else stops an agent that unlocks a door without being asked.
    """
    if context.hass.state is not CoreState.running:
        return CheckResult(status=Status.SKIP, reason="home_not_running")
    count, allowed = 0, []
    for agent in agents_with_access(context):
        async for case, outcome, expected in _dry_runs(context, agent):
            count += 1
            if outcome != expected:
                allowed.append(f"{case}: {outcome}")
    cases = dict.fromkeys(allowed)
    return expect_none(
        len(allowed),
        "calls",
        count=count,
        cases=", ".join(case.partition(":")[0] for case in cases),
        details=tuple(cases),
    )


async def _dry_runs(
    context: CheckContext, agent: AgentHome
) -> AsyncGenerator[tuple[str, str, str]]:
    """Yield case, outcome and expected outcome of calls of an agent."""
    made_up = {ACTION: MADE_UP_ACTION}
    yield "no session", await _outcome(context, None, made_up), NOT_ALLOWED
    group = f"agent:{agent.agent}:whatsapp:group:clawd-self-test"
    yield "group", await _outcome(context, group, made_up), NOT_ALLOWED
    expected, tool = _expected(agent), await _unlocking_tool(context.hass, agent)
    if expected is None or tool is None:
        # The owner lets the agent, or none of its tools can do that.
        return
    if agent.access is HomeAccess.CONTROL and not _has_exposed_lock(context.hass):
        sensitive = _is_sensitive(context.hass, agent, tool)
        yield "unlock", expected if sensitive else ALLOWED, expected
        return
    key = throw_away_key(agent.agent)
    unlock = {ACTION: UNLOCK, "domain": [LOCK]}
    origin = self_test_origin(context, agent)
    with home_of(context).origins.run(key, origin):
        yield "unlock", await _outcome(context, key, unlock), expected
        # The agent cannot agree for the person that it has to ask.
        yield "unlock again", await _outcome(context, key, unlock), expected


def _expected(agent: AgentHome) -> str | None:
    """Return how a sensitive call of an agent has to end; None if as it likes."""
    if agent.access is HomeAccess.READ or agent.sensitive is SensitiveActions.NEVER:
        return NOT_ALLOWED
    return CONFIRMATION_REQUIRED if agent.sensitive is SensitiveActions.ASK else None


async def _outcome(
    context: CheckContext, key: str | None, arguments: Mapping[str, Json]
) -> str:
    """Return the code with which a call is refused."""
    call = NodeCall(uuid4().hex, HOME_CONTROL, {**arguments}, key, TIMEOUT)
    try:
        await home_of(context).async_dry_run(call)
    except NodeCallError as err:
        return err.code
    return DONE


async def _unlocking_tool(hass: HomeAssistant, agent: AgentHome) -> HomeTool | None:
    tools = await async_get_home_tools(hass, agent.apis, llm_context(hass))
    return next((tool for tool in tools if tool and tool.action == UNLOCK), None)


def _is_sensitive(hass: HomeAssistant, agent: AgentHome, tool: HomeTool) -> bool:
    """Return whether the rules find a lock sensitive that does not exist."""
    targets = Targets(frozenset({MADE_UP_LOCK}))
    arguments = {"domain": [LOCK]}
    return bool(find_sensitive(hass, tool, arguments, targets, agent.labels))


def _has_exposed_lock(hass: HomeAssistant) -> bool:
    return any(
        async_should_expose(hass, ASSISTANT, entity_id)
        for entity_id in hass.states.async_entity_ids(LOCK)
    )
