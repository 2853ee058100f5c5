"""Invocations of the node."""

from dataclasses import dataclass, field
import re
from typing import TYPE_CHECKING, Final

import orjson

from ..connect_profile import CALL_TOOL, NOTIFY
from ..exceptions import InvalidFrameError
from ..protocol.frames import repair_json
from .models import PLUGIN_ID, NodeCallError

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..models import Json, Payload

# Seconds. OpenClaw 2026.9.6 gives 30, or 120 to a tool that is published with `mcp`;
# v3 does not say.
DEFAULT_TIMEOUT: Final = 30.0
MAX_TIMEOUT: Final = 600.0
# Seconds before the Gateway's own timeout, after which it ignores an answer.
TIMEOUT_MARGIN: Final = 1.0

# tool_search_code:<id of the tool call>:<name of the tool>:<number of the call>
_SEARCHED: Final = re.compile(r"tool_search_code:.*:([A-Za-z][\w-]*):\d+")


@dataclass(frozen=True, slots=True)
class Invocation:
    """Request to the node.

    Attributes:
        timeout: seconds in which an answer is of use.

    """

    id: str
    command: str
    params: Json = field(repr=False)
    key: str = field(repr=False)
    session_key: str | None = field(repr=False)
    timeout: float

    @classmethod
    def from_payload(cls, payload: Payload) -> Invocation | None:
        """Parse a `node.invoke.request`.

        None if it cannot be answered.
        """
        match payload:
            case {"id": str(call_id)} if call_id:
                return cls(
                    call_id,
                    _text(payload, "command"),
                    payload.get("paramsJSON"),
                    _text(payload, "idempotencyKey"),
                    _text(payload, "sessionKey") or None,
                    _timeout(payload.get("timeoutMs")),
                )
        return None

    def read_call(self, names: Collection[str]) -> tuple[str | None, Payload]:
        """Return tool name and arguments.

        The name is None if unknown.

        Raises:
            NodeCallError: the invocation is no valid call of one of these tools.

        """
        if self.command not in (CALL_TOOL, NOTIFY):
            raise NodeCallError("UNKNOWN_COMMAND", "The home has no such command.")
        arguments = _object(self.params)
        if self.command == NOTIFY:
            return None, arguments
        match arguments:
            case {"server": str(server), "tool": str(tool), **rest} if (
                server == PLUGIN_ID and not rest.keys() - {"arguments"}
            ):
                return _known(tool, names), _object(rest.get("arguments", {}))
        return self._tool_of_bare_call(names), arguments

    def _tool_of_bare_call(self, names: Collection[str]) -> str | None:
        """Return the tool of a bare call, if known."""
        # Only Tool Search puts the name into its key; an agent that calls the tool
        # directly, and `tools.invoke`, do not: "call_0_0", "rpc-direct-1795901".
        if len(names) == 1:
            return next(iter(names))
        searched = _SEARCHED.fullmatch(self.key)
        return _shown_as(searched[1], names) if searched else None


def _shown_as(shown: str, names: Collection[str]) -> str | None:
    """Return the tool by its display name."""
    # Two nodes with a tool of one name: "c111fc5e…_home_state", or
    # "node_42c1…_home_state" if the id begins with a digit.
    found = (name for name in names if shown == name or shown.endswith(f"_{name}"))
    return next(found, None)


def _known(tool: str, names: Collection[str]) -> str:
    if tool not in names:
        raise NodeCallError("UNKNOWN_TOOL", "The home has no such tool.")
    return tool


def _object(value: Json) -> Payload:
    """Return parameters as an object.

    They are JSON, null or an object.
    """
    if isinstance(value, str):
        value = _decode(value)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NodeCallError("INVALID_PARAMS", "The arguments are not an object.")
    return value


def _decode(text: str) -> Json:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return orjson.loads(repair_json(text.encode("utf-8", "surrogatepass")))
    except InvalidFrameError, orjson.JSONDecodeError:
        raise NodeCallError("INVALID_PARAMS", "The arguments are not JSON.") from None


def _timeout(milliseconds: Json) -> float:
    """Return the timeout for the answer.

    In seconds, a margin before the Gateway's own.
    """
    given = DEFAULT_TIMEOUT
    number = isinstance(milliseconds, int | float) and milliseconds is not True
    if number and milliseconds > 0:
        given = min(milliseconds / 1000, MAX_TIMEOUT)
    return max(given - TIMEOUT_MARGIN, given / 2)


def _text(payload: Payload, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""
