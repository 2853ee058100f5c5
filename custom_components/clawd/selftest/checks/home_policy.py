"""Check of the rules for tool calls."""

from typing import TYPE_CHECKING, Final
from uuid import uuid4

from homeassistant.components.homeassistant import async_should_expose
from homeassistant.core import CoreState

from ...gateway import CALL_TOOL, NOTIFY, NodeCall, NodeCallError
from ...home.apis import ASSISTANT, llm_context
from ...home.arguments import INVALID_ARGUMENTS
from ...home.caller import NOT_ALLOWED
from ...home.calls import CONFIRMATION_REQUIRED
from ...home.looking import HOME_LOOK
from ...home.messages import MessageTool
from ...home.records import DONE
from ...home.sensitivity import LOCK, find_sensitive
from ...home.settings import HomeAccess, SensitiveActions
from ...home.targets import Targets
from ...home.tools import ACTION, HOME_CONTROL, async_get_home_tools
from ...home.voice_devices import ASSIST_SATELLITE
from ...reports import Status
from ..home_tools import (
    CAMERA,
    agents_with_access,
    home_of,
    is_exposed_device,
    self_test_origin,
    temporary_session_key,
)
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
MADE_UP_SATELLITE: Final = "assist_satellite.clawd_self_test"
MADE_UP_CAMERA: Final = "camera.clawd_self_test"
MADE_UP_LOCK: Final = "lock.clawd_self_test"
TIMEOUT: Final = 5.0
ALLOWED: Final = "allowed"


@check(component=Component.HOME, requires=(home_offered,))
async def check_home_policy(context: CheckContext) -> CheckResult:
    """Refusal of forbidden tool calls, as a dry run.

    Nothing else stops an agent from unlocking a door on its own.
    """
    if context.hass.state is not CoreState.running:
        return CheckResult(status=Status.SKIP, reason="home_not_running")
    found = [
        one
        for agent in agents_with_access(context)
        async for one in _dry_runs(context, agent)
    ]
    if notification := await _notification(context):
        found.append(notification)
    allowed = [
        f"{case}: {outcome}" for case, outcome, expected in found if outcome != expected
    ]
    cases = dict.fromkeys(allowed)
    return expect_none(
        len(allowed),
        "calls",
        count=len(found),
        cases=", ".join(case.partition(":")[0] for case in cases),
        details=tuple(cases),
    )


async def _dry_runs(
    context: CheckContext, agent: AgentHome
) -> AsyncGenerator[tuple[str, str, str]]:
    """Yield case, actual and expected outcome."""
    made_up = {ACTION: MADE_UP_ACTION}
    yield "no session", await _outcome(context, None, made_up), NOT_ALLOWED
    group = f"agent:{agent.agent}:whatsapp:group:clawd-self-test"
    yield "group", await _outcome(context, group, made_up), NOT_ALLOWED
    yield await _announcement(context, agent)
    yield await _look(context, agent)
    expected, tool = _expected(agent), await _unlocking_tool(context.hass, agent)
    if expected is None or tool is None:
        # The owner lets the agent, or none of its tools can do that.
        return
    if agent.access is HomeAccess.CONTROL and not _has_exposed_lock(context.hass):
        sensitive = _is_sensitive(context.hass, agent, tool)
        yield "unlock", expected if sensitive else ALLOWED, expected
        return
    key = temporary_session_key(agent.agent)
    unlock = {ACTION: UNLOCK, "domain": [LOCK]}
    origin = self_test_origin(context, agent)
    with home_of(context).origins.run(key, origin):
        yield "unlock", await _outcome(context, key, unlock), expected
        # The agent cannot agree for the person that it has to ask.
        yield "unlock again", await _outcome(context, key, unlock), expected


async def _announcement(
    context: CheckContext, agent: AgentHome
) -> tuple[str, str, str]:
    """Try an announcement on an unexposed device."""
    key, origin = temporary_session_key(agent.agent), self_test_origin(context, agent)
    arguments = {"message": "Test.", "device": _hidden_satellite(context.hass)}
    with home_of(context).origins.run(key, origin):
        outcome = await _outcome(context, key, arguments, MessageTool.ANNOUNCE)
    expected = INVALID_ARGUMENTS if agent.speaks_first else NOT_ALLOWED
    return "announcement", outcome, expected


async def _look(context: CheckContext, agent: AgentHome) -> tuple[str, str, str]:
    """Try a picture of a hidden camera."""
    key, origin = temporary_session_key(agent.agent), self_test_origin(context, agent)
    arguments = {"camera": _hidden_camera(context.hass), "question": "Test?"}
    with home_of(context).origins.run(key, origin):
        outcome = await _outcome(context, key, arguments, HOME_LOOK)
    return "look", outcome, INVALID_ARGUMENTS if agent.looks else NOT_ALLOWED


def _hidden_camera(hass: HomeAssistant) -> str:
    """Return the entity id of a hidden camera."""
    cameras = hass.states.async_entity_ids(CAMERA)
    hidden = (one for one in cameras if not async_should_expose(hass, ASSISTANT, one))
    return next(hidden, MADE_UP_CAMERA)


def _hidden_satellite(hass: HomeAssistant) -> str:
    """Return the entity id of a hidden satellite."""
    satellites = hass.states.async_entity_ids(ASSIST_SATELLITE)
    hidden = (one for one in satellites if not is_exposed_device(hass, one))
    return next(hidden, MADE_UP_SATELLITE)


async def _notification(context: CheckContext) -> tuple[str, str, str] | None:
    """Try a notification from the Gateway.

    None if the owner lets an agent control the home from elsewhere.
    """
    control = HomeAccess.CONTROL
    agents = agents_with_access(context)
    if any({agent.access, agent.from_elsewhere} == {control} for agent in agents):
        return None
    outcome = await _outcome(context, None, {"title": "-"}, command=NOTIFY)
    return "notification", outcome, NOT_ALLOWED


def _expected(agent: AgentHome) -> str | None:
    """Return the expected outcome of a sensitive call.

    None if any outcome is right.
    """
    if agent.access is HomeAccess.READ or agent.sensitive is SensitiveActions.NEVER:
        return NOT_ALLOWED
    return CONFIRMATION_REQUIRED if agent.sensitive is SensitiveActions.ASK else None


async def _outcome(
    context: CheckContext,
    key: str | None,
    arguments: Mapping[str, Json],
    tool: str = HOME_CONTROL,
    command: str = CALL_TOOL,
) -> str:
    """Return the error code of a refused call."""
    call = NodeCall(uuid4().hex, tool, {**arguments}, key, TIMEOUT, command)
    try:
        await home_of(context).async_dry_run(call)
    except NodeCallError as err:
        return err.code
    return DONE


async def _unlocking_tool(hass: HomeAssistant, agent: AgentHome) -> HomeTool | None:
    tools = await async_get_home_tools(hass, agent.apis, llm_context(hass))
    return next((tool for tool in tools if tool and tool.action == UNLOCK), None)


def _is_sensitive(hass: HomeAssistant, agent: AgentHome, tool: HomeTool) -> bool:
    """Return whether an unknown lock counts as sensitive."""
    targets = Targets(frozenset({MADE_UP_LOCK}))
    arguments = {"domain": [LOCK]}
    return bool(find_sensitive(hass, tool, arguments, targets, agent.labels))


def _has_exposed_lock(hass: HomeAssistant) -> bool:
    return any(
        async_should_expose(hass, ASSISTANT, entity_id)
        for entity_id in hass.states.async_entity_ids(LOCK)
    )
