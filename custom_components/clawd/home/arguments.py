"""Arguments of a call: read and validated, whoever did before."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

import voluptuous as vol

from ..gateway import NodeCallError
from .apis import intent_type
from .text import one_line
from .tools import ACTION, HOME_CONTROL, HOME_STATE, OWN_ACTION

if TYPE_CHECKING:
    from ..gateway import NodeCall
    from .tools import Candidate, HomeTool

UNKNOWN_ACTION: Final = "UNKNOWN_ACTION"
INVALID_ARGUMENTS: Final = "INVALID_ARGUMENTS"
# Characters of an error that the model reads.
MAX_ERROR: Final = 500
MAX_NAMES: Final = 20

type Arguments = dict[str, Any]


def read_call(
    candidates: Iterable[Candidate], call: NodeCall
) -> tuple[HomeTool, Arguments]:
    """Return the tool that a call asks for, and its valid arguments.

    Raises:
        NodeCallError: there is no such action, or an argument is not valid.

    """
    action = call.arguments.get(ACTION)
    if not isinstance(action, str):
        raise NodeCallError(INVALID_ARGUMENTS, "The argument action is missing.")
    by_name = {
        name: candidate
        for candidate in candidates
        for name in (candidate.action, candidate.tool.name)
    }
    candidate = by_name.get(action)
    tool = candidate.convert() if candidate else None
    if tool is None:
        known = dict.fromkeys(candidate.action for candidate in by_name.values())
        raise NodeCallError(
            UNKNOWN_ACTION,
            f"There is no action {one_line(action, 64)!r} here. "
            f"There are: {_names(known)}.",
        )
    # Without the tool's name, only the action says which one was called.
    if call.tool == HOME_STATE and tool.node_tool == HOME_CONTROL:
        raise NodeCallError(
            UNKNOWN_ACTION, f"{tool.action} is an action of {HOME_CONTROL}."
        )
    return tool, _arguments(tool, call.arguments)


def _arguments(tool: HomeTool, given: Mapping[str, Any]) -> Arguments:
    """Return the arguments of a tool, without blank ones.

    Models fill in optional arguments with nothing; Home Assistant drops these for
    intents since 2026.10.
    """
    is_intent = intent_type(tool.tool) is not None
    arguments = {
        name: value
        for name, value in given.items()
        if name != ACTION
        and value is not None
        and not (is_intent and isinstance(value, str) and not value.strip())
    }
    for name in tool.required:
        if name not in arguments:
            raise _invalid(f"{tool.action} lacks the argument {name}.")
    for name in arguments:
        if name not in tool.properties and not tool.open:
            takes = _names(tool.properties) or "none"
            raise _invalid(
                f"{tool.action} has no argument {one_line(name, 64)!r}. "
                f"It takes: {takes}."
            )
    if OWN_ACTION in tool.properties and OWN_ACTION in arguments:
        arguments[ACTION] = arguments.pop(OWN_ACTION)
    try:
        # A copy: Home Assistant validates again, and some validators change values.
        tool.tool.parameters(deepcopy(arguments))
    except vol.MultipleInvalid as err:
        raise _wrong(tool, err.errors[0]) from err
    except vol.Invalid as err:
        raise _wrong(tool, err) from err
    return arguments


def _wrong(tool: HomeTool, err: vol.Invalid) -> NodeCallError:
    path = ".".join(str(part) for part in err.path)
    where = f"The argument {one_line(path, 64)}" if path else "An argument"
    return _invalid(f"{where} of {tool.action} is not valid: {err.msg}.")


def _invalid(message: str) -> NodeCallError:
    return NodeCallError(INVALID_ARGUMENTS, one_line(message, MAX_ERROR))


def _names(names: Iterable[str]) -> str:
    """Join names, as many as an error shows."""
    known = [one_line(name, 64) for name in names]
    more = ", …" if len(known) > MAX_NAMES else ""
    return f"{', '.join(known[:MAX_NAMES])}{more}"
