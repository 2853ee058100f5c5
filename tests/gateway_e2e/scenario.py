"""Runs during which a fault is injected."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from custom_components.clawd.gateway import (
    Credentials,
    GatewayClient,
    GatewayError,
    RunRequest,
)
from tests.simulator import Reply, Tool

from .cases import Case, same_reply
from .gateway_harness import GatewayHarness
from .relay import Relay

TOOL_CALL: Final = 'call exec {"command":"sleep 0.1"}'
TEXTS: Final = (
    "Before the first tool call there are some words a fault can interrupt.",
    "Between both tool calls there are more, and each must arrive once.",
    "After the second tool call the reply ends without sign of faults.",
)
DEFAULT_CASE: Final = Case(
    f" | {TOOL_CALL} | ".join(f"say {text}" for text in TEXTS),
    (
        Reply(TEXTS[0], delay=0.02),
        Tool("exec"),
        Reply(TEXTS[1], delay=0.02),
        Tool("exec"),
        Reply(TEXTS[2], delay=0.02),
    ),
    same_reply("\n\n".join(TEXTS)),
)


@dataclass(frozen=True)
class RunOutcome:
    """Result of a run: reply or error, and time."""

    text: str
    error: GatewayError | None
    at: float

    @property
    def code(self) -> str | None:
        """Return the error code."""
        return self.error.code if self.error else None


class RunReader:
    """Reader of one run."""

    def __init__(self, client: GatewayClient, session_key: str, case: Case) -> None:
        """Start the run."""
        self.case = case
        self._received = ""
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._read(client, session_key))

    async def wait_for_text(self, text: str) -> None:
        """Wait until a text is received."""
        while text not in self._received:
            assert not self._task.done(), (
                f"{text!r} was not received: {self._received!r}"
            )
            await self._changed.wait()
            self._changed.clear()

    async def outcome(self) -> RunOutcome:
        """Wait for the end; streamed text must equal the reply."""
        return await self._task

    async def cancel(self) -> None:
        """Stop reading."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _read(self, client: GatewayClient, session_key: str) -> RunOutcome:
        error, reply = None, ""
        try:
            run = await client.start_run(RunRequest(self.case.message, session_key))
            async for delta in run:
                self._received += delta
                self._changed.set()
            reply = (await run.result()).text
            assert self._received == reply
        except GatewayError as err:
            error = err
        finally:
            self._changed.set()
        return RunOutcome(reply, error, asyncio.get_running_loop().time())


@dataclass
class RunScenario:
    """Runs, relay and Gateway that a fault works on."""

    harness: GatewayHarness
    relay: Relay
    client: GatewayClient
    credentials: Credentials
    session_key: str
    readers: list[RunReader] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        """Start without runs."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Cancel all readers."""
        for reader in self.readers:
            await reader.cancel()

    def start_run(self, case: Case = DEFAULT_CASE) -> None:
        """Start a run."""
        self.harness.set_script(*case.script)
        self.readers.append(RunReader(self.client, self.session_key, case))

    async def wait_for_text(self, text: str) -> None:
        """Wait for a text of the first run."""
        if not self.readers:
            self.start_run()
        await self.readers[0].wait_for_text(text)

    async def wait_until(self, condition: Callable[[GatewayClient], bool]) -> None:
        """Wait until a condition on the client holds."""
        changed = asyncio.Event()
        stop = self.client.subscribe_state(lambda _: changed.set())
        try:
            while not condition(self.client):
                await changed.wait()
                changed.clear()
        finally:
            stop()
