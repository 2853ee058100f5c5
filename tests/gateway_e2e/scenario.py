"""Runs that are under way when a fault comes."""

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

from .cases import Case, same
from .gateway_harness import Stage
from .relay import Relay

LOOK: Final = 'call exec {"command":"sleep 0.1"}'
TEXTS: Final = (
    "Before the first look there are some words, so that a fault fits.",
    "Between both looks there are more, and each must arrive just once.",
    "After the second look it ends, and nobody knows of any fault.",
)
QUESTION: Final = Case(
    f" | {LOOK} | ".join(f"say {text}" for text in TEXTS),
    (
        Reply(TEXTS[0], delay=0.02),
        Tool("exec"),
        Reply(TEXTS[1], delay=0.02),
        Tool("exec"),
        Reply(TEXTS[2], delay=0.02),
    ),
    same("\n\n".join(TEXTS)),
)


@dataclass(frozen=True)
class Ending:
    """How a run ended: its whole reply or the error, and when."""

    text: str
    error: GatewayError | None
    at: float

    @property
    def code(self) -> str | None:
        """Return the code of the error."""
        return self.error.code if self.error else None


class Listener:
    """Who asks a question and listens to the reply."""

    def __init__(self, client: GatewayClient, session_key: str, case: Case) -> None:
        """Ask."""
        self.case = case
        self._told = ""
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._listen(client, session_key))

    async def hear(self, word: str) -> None:
        """Wait until a word was told."""
        while word not in self._told:
            assert not self._task.done(), f"{word!r} was not told: {self._told!r}"
            await self._news.wait()
            self._news.clear()

    async def ending(self) -> Ending:
        """Wait for the end; what was told must be what the run holds."""
        return await self._task

    async def leave(self) -> None:
        """Listen no more."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _listen(self, client: GatewayClient, session_key: str) -> Ending:
        error, text = None, ""
        try:
            run = await client.start_run(RunRequest(self.case.message, session_key))
            async for new in run:
                self._told += new
                self._news.set()
            text = (await run.result()).text
            assert self._told == text
        except GatewayError as err:
            error = err
        finally:
            self._news.set()
        return Ending(text, error, asyncio.get_running_loop().time())


@dataclass
class Scene:
    """What a fault can lay its hands on."""

    stage: Stage
    relay: Relay
    client: GatewayClient
    credentials: Credentials
    session_key: str
    listeners: list[Listener] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        """Start with no run."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave no listener behind."""
        for listener in self.listeners:
            await listener.leave()

    def ask(self, case: Case = QUESTION) -> None:
        """Ask a question."""
        self.stage.expect(*case.script)
        self.listeners.append(Listener(self.client, self.session_key, case))

    async def hear(self, word: str) -> None:
        """Ask if nobody has, and wait until the reply has come to a word."""
        if not self.listeners:
            self.ask()
        await self.listeners[0].hear(word)

    async def until(self, condition: Callable[[GatewayClient], bool]) -> None:
        """Wait until a condition on the client's states holds."""
        changed = asyncio.Event()
        stop = self.client.subscribe_state(lambda _: changed.set())
        try:
            while not condition(self.client):
                await changed.wait()
                changed.clear()
        finally:
            stop()
