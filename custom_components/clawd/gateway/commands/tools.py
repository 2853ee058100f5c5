"""Tools of agents, without a model."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from ..exceptions import InvalidFrameError, RequestFailedError
from ..models import READ_SCOPE, WRITE_SCOPE
from .base import Commands, Method
from .models import entries_with

if TYPE_CHECKING:
    from ..models import Json, Payload


# Default of `tools.sessions.visibility` (2026.9.6).
ALL_SESSIONS: Final = "all"


@dataclass(frozen=True, slots=True)
class AgentTool:
    """Tool of an agent.

    `plugin` is empty for built-in tools.
    """

    name: str
    plugin: str

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Parse a tool of `tools.effective`."""
        return cls(payload["id"], str(payload.get("pluginId") or ""))


@dataclass(frozen=True, slots=True)
class EffectiveTools:
    """Tools of the agent in a session."""

    profile: str
    tools: tuple[AgentTool, ...]

    def of_plugin(self, plugin: str) -> tuple[str, ...]:
        """Return the names of a plugin's tools."""
        return tuple(tool.name for tool in self.tools if tool.plugin == plugin)

    @classmethod
    def from_payload(cls, payload: Json) -> Self:
        """Read the response to `tools.effective`.

        Raises:
            InvalidFrameError: the response holds no groups of tools.

        """
        match payload:
            case {"groups": list(groups)}:
                entries = [
                    entry
                    for group in groups
                    if isinstance(group, dict) and isinstance(group.get("tools"), list)
                    for entry in entries_with(group["tools"], "id")
                ]
                tools = tuple(map(AgentTool.from_payload, entries))
                return cls(str(payload.get("profile") or ""), tools)
        raise InvalidFrameError("the response to tools.effective has no groups")


@dataclass(frozen=True, slots=True)
class ToolPolicy:
    """Tool policy of the Gateway's configuration.

    Attributes:
        profile: `full`, `coding`, `messaging`, `minimal`, or empty.
        also_allow: tools and plugins that the profile does not hide.
        session_visibility: sessions that an agent may read and write to: `self`,
            `tree`, `agent` or `all`.

    """

    profile: str
    also_allow: tuple[str, ...]
    session_visibility: str = ALL_SESSIONS

    @property
    def reaches_other_sessions(self) -> bool:
        """Return whether agents reach sessions that they have not started."""
        return self.session_visibility not in ("self", "tree")

    @classmethod
    def from_payload(cls, payload: Json) -> Self:
        """Read the response to `config.get`."""
        match payload:
            case {"config": {"tools": dict(tools)}}:
                allowed = tools.get("alsoAllow")
                names = allowed if isinstance(allowed, list) else []
                profile = str(tools.get("profile") or "")
                return cls(profile, tuple(map(str, names)), _visibility(tools))
        return cls("", ())


def _visibility(tools: Payload) -> str:
    match tools:
        case {"sessions": {"visibility": str(visibility)}}:
            return visibility
    return ALL_SESSIONS


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """Result of a tool: text and details."""

    text: str = field(repr=False)
    details: Payload = field(repr=False)

    @classmethod
    def from_payload(cls, output: Json) -> Self:
        """Read the output of `tools.invoke`."""
        match output:
            case {"details": dict(details)}:
                return cls(_text(output), details)
        return cls(_text(output), {})


class ToolCommands(Commands):
    """Commands on the tools of agents (v4)."""

    EFFECTIVE: Final = Method("tools.effective", READ_SCOPE, optional=True)
    INVOKE: Final = Method("tools.invoke", WRITE_SCOPE, optional=True)
    CONFIG: Final = Method("config.get", READ_SCOPE, optional=True)

    async def effective(self, session_key: str) -> EffectiveTools:
        """Return the tools of an existing session.

        Raises:
            GatewayError: the Gateway did not answer, or does not know the session.

        """
        answer = await self._call(self.EFFECTIVE, {"sessionKey": session_key})
        return EffectiveTools.from_payload(answer)

    async def invoke(
        self,
        name: str,
        args: Payload,
        session_key: str,
        timeout: float | None = None,
    ) -> ToolOutput:
        """Call a tool without a model.

        Raises:
            RequestFailedError: there is no such tool, or it failed.
            GatewayError: the Gateway did not answer.

        """
        params = {"name": name, "args": args, "sessionKey": session_key}
        match await self._call(self.INVOKE, params, timeout):
            case {"ok": True, "output": output}:
                return ToolOutput.from_payload(output)
            case {"ok": False, "error": {"code": str(code), **rest}}:
                raise RequestFailedError(
                    f"{self.INVOKE} failed: {code}",
                    code=code,
                    reason=str(rest.get("message", "")),
                )
        raise InvalidFrameError(f"the response to {self.INVOKE} has no output")

    async def policy(self) -> ToolPolicy:
        """Return the tool policy.

        Raises:
            GatewayError: the Gateway did not answer.

        """
        return ToolPolicy.from_payload(await self._call(self.CONFIG))


def _text(output: Json) -> str:
    match output:
        case {"content": list(parts)}:
            return "".join(part["text"] for part in entries_with(parts, "text"))
    return ""
