"""Calls of the home's tools by agents."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import Context, CoreState
from homeassistant.helpers.json import json_dumps

from ..gateway import NOTIFY, NodeCallError
from .agent_calls import agent_call
from .apis import llm_context
from .arguments import read_call
from .caller import READ_ONLY, async_identify, async_require_rights, refusal
from .confirmation import call_digest
from .limits import TIMEOUT
from .looking import HOME_LOOK, async_look, is_look, read_look
from .message_calls import async_prepare_message, async_prepare_notification
from .messages import called_message_tool
from .records import DONE, Record, recorded
from .sensitivity import find_sensitive
from .settings import HomeAccess, SensitiveActions
from .targets import Targets, resolve_targets
from .text import one_line
from .tool_run import async_run_tool
from .tools import accesses, async_get_candidates

if TYPE_CHECKING:
    from collections.abc import Callable

    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from ..gateway import NodeCall
    from .caller import Caller
    from .confirmation import Confirmations
    from .elsewhere import SessionLookup
    from .limits import AgentLimits, CallLimits
    from .looking import Vision
    from .messages import MessageTool
    from .origin import OriginRegistry
    from .sensitivity import Sensitive
    from .statistics import HomeStatistics
    from .tools import HomeTool

CONFIRMATION_REQUIRED: Final = "CONFIRMATION_REQUIRED"
DRY_RUN: Final = "DRY_RUN"
NOT_READY: Final = "NODE_NOT_READY"
MAX_NAMES: Final = 5
NO_ASSIST: Final = "This agent has not been given the tools of Assist."


@dataclass(frozen=True, slots=True)
class CallState:
    """Shared state of an entry's calls.

    Attributes:
        to_speech: returns a text as it is spoken.
        vision: describes pictures.

    """

    origins: OriginRegistry
    sessions: SessionLookup
    limits: CallLimits
    messages: AgentLimits
    looks: AgentLimits
    to_speech: Callable[[str], str]
    vision: Vision
    clock: Callable[[], float]
    confirmations: Confirmations
    statistics: HomeStatistics


async def async_handle_call(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    state: CallState,
    call: NodeCall,
    *,
    dry_run: bool = False,
) -> str:
    """Handle a call and return its result.

    A dry run is neither counted nor recorded; control is refused at the end.

    Raises:
        NodeCallError: it was refused or failed.

    """
    # The Gateway asks again after a while, and calls later that Home Assistant starts.
    if hass.state is not CoreState.running:
        raise NodeCallError(NOT_READY, "Home Assistant is not running yet.")
    record = Record(dry_run=dry_run)
    handle = _async_notification if call.is_notification else _async_call
    with agent_call(), recorded(hass, entry, state.statistics, record):
        try:
            async with asyncio.timeout(call.timeout):
                result = await handle(hass, entry, state, call, record)
        except TimeoutError as err:
            raise NodeCallError(
                TIMEOUT, "Home Assistant did not finish in time; it may still do it."
            ) from err
        record.outcome = DONE
        return result


async def _async_call(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    state: CallState,
    call: NodeCall,
    record: Record,
) -> str:
    caller = record.caller = await async_identify(
        hass, entry, state.origins, state.sessions, call.session_key
    )
    if caller.home.access is HomeAccess.NONE:
        raise refusal("This agent has no access to the home.")
    origin = caller.origin
    if origin:
        record.context = Context(user_id=origin.user_id, parent_id=origin.context_id)
    if is_look(call):
        return await _async_look(hass, state, call, record, caller)
    if message_tool := called_message_tool(call):
        return await _async_message(
            hass, entry, state, call, record, caller, message_tool
        )
    context = llm_context(
        hass,
        record.context,
        origin.language if origin else None,
        origin.device_id if origin else None,
    )
    candidates = await async_get_candidates(hass, caller.home.apis, context)
    tool, arguments = read_call(candidates, call)
    record.tool, record.read_only = tool.name, tool.read_only
    if not accesses(tool, caller.home.access):
        raise refusal(READ_ONLY)
    record.targets = targets = resolve_targets(hass, tool, arguments)
    await async_require_rights(hass, caller, targets, read_only=tool.read_only)
    if not tool.read_only:
        digest = call_digest(tool.name, arguments, targets.entity_ids)
        if not record.dry_run:
            state.limits.count(caller.run, digest, is_session=caller.origin is None)
        _require_confirmation(hass, state, call, caller, tool, arguments, targets)
        _require_no_dry_run(record)
        record.announce(entry)
    return await async_run_tool(state.statistics, tool, arguments)


async def _async_message(  # noqa: PLR0913, PLR0917 - state of the call
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    state: CallState,
    call: NodeCall,
    record: Record,
    caller: Caller,
    tool: MessageTool,
) -> str:
    """Handle a call of a message tool."""
    record.tool = tool
    if caller.home.access is not HomeAccess.CONTROL:
        raise refusal(READ_ONLY)
    if not caller.home.speaks_first:
        raise refusal(NO_ASSIST)
    message = await async_prepare_message(
        hass, entry, caller, tool, call, state.to_speech, state.clock()
    )
    if message.targets is not None:
        record.targets = message.targets
        await async_require_rights(hass, caller, message.targets)
    _require_no_dry_run(record)
    state.messages.count(caller.home.agent)
    record.announce(entry)
    return json_dumps({"home_data": await message.async_send(record.context)})


async def _async_look(
    hass: HomeAssistant,
    state: CallState,
    call: NodeCall,
    record: Record,
    caller: Caller,
) -> str:
    """Look through a camera of the home."""
    record.tool = HOME_LOOK
    home = caller.home
    if not home.looks:
        raise refusal(NO_ASSIST)
    look = read_look(hass, call)
    record.targets = targets = Targets(frozenset({look.camera.entity_id}))
    await async_require_rights(hass, caller, targets, read_only=True)
    _require_no_dry_run(record)
    state.looks.count(home.agent)
    seen = await async_look(hass, state.vision, home.subentry_id, look, call.timeout)
    return json_dumps({"home_data": seen})


async def _async_notification(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    state: CallState,
    call: NodeCall,
    record: Record,
) -> str:
    """Show a notification of the Gateway."""
    record.tool = NOTIFY
    show = await async_prepare_notification(hass, entry, call)
    _require_no_dry_run(record)
    state.messages.count(NOTIFY)
    return json_dumps(await show())


def _require_no_dry_run(record: Record) -> None:
    if record.dry_run:
        raise NodeCallError(DRY_RUN, "It would have been done.")


def _require_confirmation(  # noqa: PLR0913, PLR0917 - state of the call
    hass: HomeAssistant,
    state: CallState,
    call: NodeCall,
    caller: Caller,
    tool: HomeTool,
    arguments: dict[str, Any],
    targets: Targets,
) -> None:
    """Check the confirmation of a control call.

    Raises:
        NodeCallError: it has to be confirmed first, or cannot be.

    """
    home = caller.home
    if home.sensitive is SensitiveActions.ALLOW:
        return
    sensitive = find_sensitive(hass, tool, arguments, targets, home.labels)
    if not sensitive:
        return
    # A label or a script may have changed since the question.
    digest = call_digest(tool.name, arguments, targets.entity_ids, sensitive.entity_ids)
    names = _names(hass, sensitive)
    if home.sensitive is SensitiveActions.NEVER:
        raise refusal(f"The owner lets no agent do this; it touches {names}.")
    if not caller.in_own_run or caller.origin is None or call.session_key is None:
        raise refusal(
            f"This touches {names}. A person has to confirm it in a conversation in "
            "Home Assistant; it cannot be confirmed from here."
        )
    if state.confirmations.take(call.session_key, digest, caller.origin):
        state.statistics.confirmed += 1
        return
    state.confirmations.ask(call.session_key, digest, caller.origin)
    raise NodeCallError(
        CONFIRMATION_REQUIRED,
        f"Not done yet: this touches {names}, and a person has to agree. Ask the user "
        "whether you may do it, and end your turn. Once they have agreed in their next "
        f"message, call {tool.action} again with exactly the same arguments, within "
        "two minutes. Calling again before does nothing.",
    )


def _names(hass: HomeAssistant, sensitive: Sensitive) -> str:
    """Return the names of sensitive targets."""
    states = filter(None, map(hass.states.get, sorted(sensitive.entity_ids)))
    names = [f'"{one_line(state.name, 64)}"' for state in states]
    more = len(names) - MAX_NAMES
    shown = names[:MAX_NAMES] + ([f"{more} more"] if more > 0 else [])
    return ", ".join(shown) or "what is not known before it runs"
