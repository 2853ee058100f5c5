"""Validation of tool arguments."""

from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

import voluptuous as vol

from ..gateway import NodeCallError
from .apis import intent_type
from .text import one_line, plain
from .tools import ACTION, HOME_CONTROL, HOME_STATE, OWN_ACTION

if TYPE_CHECKING:
    from ..gateway import NodeCall
    from .tools import Candidate, HomeTool

UNKNOWN_ACTION: Final = "UNKNOWN_ACTION"
INVALID_ARGUMENTS: Final = "INVALID_ARGUMENTS"
# Characters of an error for the model.
MAX_ERROR: Final = 500
MAX_NAMES: Final = 20
_BLANK: Final[tuple[object, ...]] = (None, "", [])

type Arguments = dict[str, Any]


def read_call(
    candidates: Iterable[Candidate], call: NodeCall
) -> tuple[HomeTool, Arguments]:
    """Return tool and validated arguments of a call.

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


def given_arguments(tool: str, call: NodeCall, known: Collection[str]) -> Arguments:
    """Return the arguments of an own tool.

    Without blank ones.

    Raises:
        NodeCallError: the tool does not have one of them.

    """
    # Models fill in optional arguments with nothing.
    given = {key: value for key, value in call.arguments.items() if value not in _BLANK}
    for name in given:
        if name not in known:
            raise invalid_argument(
                f"{tool} has no argument {one_line(name, 64)!r}. It takes: "
                f"{', '.join(known)}."
            )
    return given


def read_text(given: Mapping[str, Any], key: str, limit: int) -> str | None:
    """Return a text argument of limited length.

    None if it is missing or blank.

    Raises:
        NodeCallError: it is no text, or too long.

    """
    value = given.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid_argument(f"The argument {key} has to be a text.")
    if len(value) > limit:
        raise invalid_argument(
            f"The argument {key} has {len(value)} characters; at most {limit} are "
            "taken. Shorten it."
        )
    return plain(value).strip() or None


def invalid_argument(message: str) -> NodeCallError:
    """Return the error of invalid arguments."""
    return NodeCallError(INVALID_ARGUMENTS, message)


def _arguments(tool: HomeTool, given: Mapping[str, Any]) -> Arguments:
    """Return the arguments without blank ones.

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
    return invalid_argument(one_line(message, MAX_ERROR))


def _names(names: Iterable[str]) -> str:
    """Join names, up to a limit."""
    known = [one_line(name, 64) for name in names]
    more = ", …" if len(known) > MAX_NAMES else ""
    return f"{', '.join(known[:MAX_NAMES])}{more}"
