"""Calls of the home's tools by agents."""

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
import time
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import Context, CoreState, Event
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import intent, llm
from homeassistant.helpers.json import json_dumps
import voluptuous as vol

from ..const import EVENT_TOOL_CALL, LOGGER
from ..gateway import NodeCallError
from .apis import llm_context, result_data
from .arguments import INVALID_ARGUMENTS, read_call
from .caller import Caller, async_identify, async_require_rights, refusal
from .confirmation import call_digest
from .sensitivity import find_sensitive
from .settings import HomeAccess, SensitiveActions
from .targets import Targets, resolve_targets
from .text import one_line
from .tools import accesses, async_get_candidates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from ..gateway import NodeCall
    from .confirmation import Confirmations
    from .elsewhere import SessionLookup
    from .limits import CallLimits
    from .origin import OriginRegistry
    from .sensitivity import Sensitive
    from .statistics import HomeStatistics
    from .tools import HomeTool

CONFIRMATION_REQUIRED: Final = "CONFIRMATION_REQUIRED"
FAILED: Final = "FAILED"
DRY_RUN: Final = "DRY_RUN"
NOT_READY: Final = "NODE_NOT_READY"
TIMEOUT: Final = "TIMEOUT"
# OpenClaw cuts results after 64,000 characters.
MAX_RESULT: Final = 60_000
MAX_ERROR: Final = 500
MAX_NAMES: Final = 5
MAX_ENTITIES: Final = 50

DONE: Final = "done"
CANCELLED: Final = "cancelled"
ERROR: Final = "error"


@dataclass(frozen=True, slots=True)
class CallState:
    """State of an entry that calls share."""

    origins: OriginRegistry
    sessions: SessionLookup
    limits: CallLimits
    confirmations: Confirmations
    statistics: HomeStatistics


@dataclass(slots=True)
class _Record:
    """Record of a call, for its event."""

    context: Context = field(default_factory=Context)
    started_at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.monotonic)
    caller: Caller | None = None
    tool: HomeTool | None = None
    targets: Targets = field(default_factory=Targets)
    outcome: str = ERROR
    dry_run: bool = False

    def data(self, entry: ClawdConfigEntry) -> dict[str, Any]:
        """Return the data of the event: ids and words of our own only."""
        home = self.caller.home if self.caller else None
        return {
            "entry_id": entry.entry_id,
            "subentry_id": home.subentry_id if home else None,
            "tool": self.tool.name if self.tool else None,
            "outcome": self.outcome,
            "duration": round(time.monotonic() - self.started, 3),
            "entity_id": sorted(self.targets.entity_ids)[:MAX_ENTITIES],
            "user_id": self.context.user_id,
        }


async def async_handle_call(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    state: CallState,
    call: NodeCall,
    *,
    dry_run: bool = False,
) -> str:
    """Carry out a call and return its result as text.

    A dry run is neither counted nor recorded; what controls is refused at the end.

    Raises:
        NodeCallError: it was refused or failed.

    """
    # The Gateway asks again after a while, and calls later that Home Assistant starts.
    if hass.state is not CoreState.running:
        raise NodeCallError(NOT_READY, "Home Assistant is not running yet.")
    record = _Record(dry_run=dry_run)
    with _recorded(hass, entry, state, record):
        try:
            async with asyncio.timeout(call.timeout):
                result = await _async_call(hass, entry, state, call, record)
        except TimeoutError as err:
            raise NodeCallError(
                TIMEOUT, "Home Assistant did not finish in time; it may still do it."
            ) from err
        record.outcome = DONE
        return result


@contextmanager
def _recorded(
    hass: HomeAssistant, entry: ClawdConfigEntry, state: CallState, record: _Record
) -> Iterator[None]:
    """Count a call and fire its event, whatever becomes of it."""
    try:
        yield
    except NodeCallError as err:
        record.outcome = err.code.lower()
        raise
    except asyncio.CancelledError:
        record.outcome = CANCELLED
        raise
    finally:
        tool = record.tool
        if not record.dry_run:
            state.statistics.outcomes[record.outcome] += 1
        LOGGER.debug(
            "Tool call: %s %s", tool.name if tool else "unknown", record.outcome
        )
        # What only reads would fill the logbook.
        silent = tool is not None and tool.read_only and record.outcome == DONE
        if not (silent or record.dry_run):
            # As of the start: the cause comes before its effects.
            hass.bus.async_fire(
                EVENT_TOOL_CALL,
                record.data(entry),
                context=record.context,
                time_fired=record.started_at,
            )


async def _async_call(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    state: CallState,
    call: NodeCall,
    record: _Record,
) -> str:
    caller = record.caller = await async_identify(
        hass, entry, state.origins, state.sessions, call.session_key
    )
    if caller.home.access is HomeAccess.NONE:
        raise refusal("This agent has no access to the home.")
    origin = caller.origin
    if origin:
        record.context = Context(user_id=origin.user_id, parent_id=origin.context_id)
    context = llm_context(
        hass,
        record.context,
        origin.language if origin else None,
        origin.device_id if origin else None,
    )
    candidates = await async_get_candidates(hass, caller.home.apis, context)
    tool, arguments = read_call(candidates, call)
    record.tool = tool
    if not accesses(tool, caller.home.access):
        raise refusal("This agent may read the home, but not control it.")
    record.targets = targets = resolve_targets(hass, tool, arguments)
    await async_require_rights(hass, caller, tool, targets)
    if not tool.read_only:
        _require_limits_and_confirmation(hass, state, call, record, arguments)
        if record.dry_run:
            raise NodeCallError(DRY_RUN, "It would have been done.")
        # The logbook names the first event of a context as the cause.
        Event(
            EVENT_TOOL_CALL,
            {**record.data(entry), "outcome": DONE},
            time_fired_timestamp=record.started_at,
            context=record.context,
        )
    return await _async_run(state, tool, arguments)


def _require_limits_and_confirmation(
    hass: HomeAssistant,
    state: CallState,
    call: NodeCall,
    record: _Record,
    arguments: dict[str, Any],
) -> None:
    """Check limits and confirmation of a call that controls.

    Raises:
        NodeCallError: it is one too many, or has to be confirmed first.

    """
    caller, tool, targets = record.caller, record.tool, record.targets
    assert caller is not None  # noqa: S101 - set before
    assert tool is not None  # noqa: S101 - set before
    digest = call_digest(tool.name, arguments, targets.entity_ids)
    if not record.dry_run:
        state.limits.count(caller.run, digest, is_session=caller.origin is None)
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


async def _async_run(
    state: CallState, tool: HomeTool, arguments: dict[str, Any]
) -> str:
    """Run a tool and return its result."""
    call = llm.ToolInput(tool_name=tool.name, tool_args=arguments)
    try:
        result = await tool.instance.async_call_tool(call)
        text = json_dumps({"home_data": result_data(result)})
    except intent.MatchFailedError as err:
        reason = err.result.no_match_reason
        raise NodeCallError(
            FAILED,
            "No exposed entity matches "
            f"({reason.name.lower() if reason else 'unknown'}).",
        ) from err
    except vol.Invalid as err:
        raise NodeCallError(INVALID_ARGUMENTS, one_line(str(err), MAX_ERROR)) from err
    except HomeAssistantError as err:
        raise NodeCallError(FAILED, one_line(str(err), MAX_ERROR)) from err
    except Exception as err:
        state.statistics.exceptions[type(err).__name__] += 1
        raise NodeCallError(
            FAILED, "The tool failed in Home Assistant. Its log may say why."
        ) from err
    if len(text) <= MAX_RESULT:
        return text
    if tool.read_only:
        raise NodeCallError(
            FAILED, "The result is too long. Ask for less: by name, area or domain."
        )
    return json_dumps({"home_data": "done; the result is too long to show"})


def _names(hass: HomeAssistant, sensitive: Sensitive) -> str:
    """Name the sensitive targets, as far as known."""
    states = filter(None, map(hass.states.get, sorted(sensitive.entity_ids)))
    names = [f'"{one_line(state.name, 64)}"' for state in states]
    more = len(names) - MAX_NAMES
    shown = names[:MAX_NAMES] + ([f"{more} more"] if more > 0 else [])
    return ", ".join(shown) or "what is not known before it runs"
