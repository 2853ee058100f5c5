"""Publishing of tools to the Gateway."""

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Final

from ..backoff import Backoff
from ..connect_profile import CALL_TOOL
from ..exceptions import GatewayError, RequestFailedError, RequestTimeoutError
from .models import PAIRING_CHANGED, PLUGIN_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..client import GatewayClient
    from ..models import Hello, Json, Payload
    from .models import NodeTool

UPDATE: Final = "node.pluginTools.update"
# Refusals in a row that another connection with our key explains, and an approval
# does not.
MAX_PAIRING_CHANGES: Final = 5
# One name that the Gateway does not take would refuse the whole list.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)

_LOGGER = logging.getLogger(__name__)


def takes_tools(hello: Hello | None) -> bool:
    """Return whether the Gateway supports node tools."""
    # OpenClaw since 2026.8.1.
    return hello is not None and UPDATE in hello.methods


class ToolPublisher:
    """Publisher of the node's tools.

    Attributes:
        wanted: tools to publish, without prefix.
        published: names that the Gateway confirmed, without prefix.
        error: code of the refusal of the last list; empty if it was taken.

    """

    def __init__(
        self,
        client: GatewayClient,
        prefix: str,
        on_change: Callable[[], object],
        on_displaced: Callable[[], object],
    ) -> None:
        """Call `on_change` after `published` has changed.

        `on_displaced` is called if another connection has our key.
        """
        self._client = client
        self._prefix = prefix
        self._on_change = on_change
        self._on_displaced = on_displaced
        self._connected = self._due = False
        self._task: asyncio.Task[None] | None = None
        self.wanted: tuple[NodeTool, ...] = ()
        self.published: tuple[str, ...] = ()
        self.error = ""

    def connected(self) -> None:
        """Publish on a new connection.

        It starts without tools.
        """
        self._connected = True
        if self.wanted:
            self._publish_soon()

    def disconnected(self) -> None:
        """Reset the published tools."""
        self._connected = False
        if self._task:
            self._task.cancel()
            self._task = None
        self._confirm(())

    def want(self, tools: tuple[NodeTool, ...]) -> None:
        """Publish other tools from now on."""
        if tools != self.wanted:
            self.wanted = tools
            self._publish_soon()

    def repeat(self) -> None:
        """Publish again.

        The Gateway may accept more than before.
        """
        self._publish_soon()

    def _publish_soon(self) -> None:
        self._due = True
        if self._connected and self._task is None:
            # It may end at once, without a task to remember.
            task = self._client.spawn(self._run(), "publish")
            self._task = None if task.done() else task

    async def _run(self) -> None:
        try:
            await self._publish_all()
        finally:
            # Another one may run already, on the next connection.
            if self._task is asyncio.current_task():
                self._task = None

    async def _publish_all(self) -> None:
        """Publish the wanted tools until accepted or refused."""
        backoff, changes = Backoff(self._client.timing), 0
        while self._due:
            self._due = False
            try:
                names = await self._publish(self.wanted)
            except GatewayError as err:
                _LOGGER.debug("Tools not published: %s", err.code)
                self.error, names = err.code, ()
                if _retryable(err):
                    changes += err.code == PAIRING_CHANGED
                    if changes >= MAX_PAIRING_CHANGES:
                        self._on_displaced()
                        return
                    self._due = True
                    await asyncio.sleep(backoff.delay(err.retry_after or 0.0))
                    continue
            self._confirm(names)

    async def _publish(self, tools: tuple[NodeTool, ...]) -> tuple[str, ...]:
        """Publish the tools; return the accepted names."""
        names: tuple[str, ...] = ()
        try:
            names = await self._update(tools, with_mcp=False)
        except RequestFailedError as err:
            if err.retryable:
                raise
        if not names and tools:
            # A Gateway may demand `mcp`. One that has not approved the node takes
            # neither form, and says after the approval that it is time to publish.
            names = await self._update(tools, with_mcp=True)
        self.error = ""
        return names

    async def _update(
        self, tools: tuple[NodeTool, ...], *, with_mcp: bool
    ) -> tuple[str, ...]:
        shown = {f"{self._prefix}{tool.name}": tool for tool in tools}
        entries = [
            _descriptor(name, tool, with_mcp=with_mcp)
            for name, tool in shown.items()
            if _NAME.fullmatch(name) and tool.description
        ]
        answer = await self._client.request(UPDATE, {"tools": entries})
        taken = _names(answer)
        _LOGGER.debug("%s of %s tools published", len(taken), len(tools))
        return tuple(tool.name for name, tool in shown.items() if name in taken)

    def _confirm(self, names: tuple[str, ...]) -> None:
        if names != self.published:
            self.published = names
            self._on_change()


def _descriptor(name: str, tool: NodeTool, *, with_mcp: bool) -> Payload:
    mcp = {"mcp": {"server": PLUGIN_ID, "tool": tool.name}} if with_mcp else {}
    return {
        "pluginId": PLUGIN_ID,
        "name": name,
        "description": tool.description,
        "parameters": tool.parameters,
        "command": CALL_TOOL,
        **mcp,
    }


def _names(answer: Json) -> set[str]:
    """Return the names in a response."""
    match answer:
        case {"tools": list(tools)}:
            return {
                tool["name"]
                for tool in tools
                if isinstance(tool, dict) and isinstance(tool.get("name"), str)
            }
    return set()


def _retryable(error: GatewayError) -> bool:
    if isinstance(error, RequestFailedError):
        return error.retryable
    return isinstance(error, RequestTimeoutError)
