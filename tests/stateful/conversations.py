"""Agent runs and requests of callers."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from hypothesis import strategies as st

from custom_components.clawd.gateway import (
    AgentRun,
    GatewayClient,
    GatewayError,
    Json,
    RunRequest,
    RunResult,
)
from tests.simulator import Drop, Fail, Pause, Refuse, Reply, Retry, Tool
from tests.simulator.script import Script, Step

PROMPT: Final = "canary-prompt"
REPLY: Final = "canary-reply"
REASON: Final = "canary-reason"
SESSIONS: Final = ("agent:main:ha-secret-one", "agent:main:ha-secret-two")
SEPARATOR: Final = "\n\n"
LONG_TEXT: Final = "a long tail " * 1_000

WORDS: Final = st.sampled_from(
    [
        "a",
        "zwei",
        "\n",
        '"\\',
        "\u65e5\u672c",
        "e\u0301",
        "\x7f\u2028",
        "\U0001f469\u200d\U0001f467",
        "\u202e\u05e9\u05dc\u05d5\u05dd",
        LONG_TEXT,
    ]
)


type Position = tuple[int, int]


@dataclass(frozen=True)
class RunPlan:
    """Planned run: segments of chunks, with pauses and drops.

    ``pauses_at`` and ``drops_at`` are positions of segment and chunk; ``ending`` is
    ``completed``, ``failed`` or ``refused``; a ``retried`` run fails once first.
    """

    segments: tuple[tuple[str, ...], ...]
    pauses_at: frozenset[Position] = frozenset()
    drops_at: frozenset[Position] = frozenset()
    retried: bool = False
    ending: str = "completed"

    def texts(self, number: int) -> list[str]:
        """Return the text of each segment, unique to the run."""
        return [
            "".join(self.chunks(number, index)) for index in range(len(self.segments))
        ]

    def chunks(self, number: int, index: int) -> tuple[str, ...]:
        """Return the chunks of a segment.

        A segment starts and ends with a word, since replies are stripped.
        """
        return (f"{REPLY}-{number}-{index} ", *self.segments[index], ".")

    def script(self, number: int) -> Script:
        """Return the script of the simulated run."""
        if self.ending == "refused":
            return (Refuse(REASON),)
        return tuple(self.steps(number))

    def steps(self, number: int) -> list[Step]:
        """Return the steps of the simulated run."""
        steps: list[Step] = [Retry(REASON)] if self.retried else []
        for index in range(len(self.segments)):
            if index:
                steps.append(Tool("look", {"where": PROMPT}))
            for position, chunk in enumerate(self.chunks(number, index)):
                steps += [Pause()] if (index, position) in self.pauses_at else []
                steps += [Drop()] if (index, position) in self.drops_at else []
                steps.append(Reply(chunks=(chunk,)))
        return [*steps, Fail(REASON)] if self.ending == "failed" else steps


POSITIONS: Final = st.tuples(st.integers(0, 2), st.integers(0, 3))
PLANS: Final = st.builds(
    RunPlan,
    st.lists(st.lists(WORDS, max_size=4).map(tuple), min_size=1, max_size=3).map(tuple),
    st.frozensets(POSITIONS, max_size=3),
    st.frozensets(POSITIONS, max_size=1),
    st.booleans(),
    st.sampled_from(["completed", "completed", "completed", "failed", "refused"]),
)


@dataclass(eq=False, kw_only=True)
class Caller:
    """Caller of a client.

    ``may_fail``: an error is allowed; ``drops``: number of connections lost
    before; ``elapsed``: seconds by which the clock was advanced since.
    """

    session_key: str
    may_fail: bool
    drops: int
    elapsed: float = 0.0
    errors: list[GatewayError] = field(default_factory=list)
    task: asyncio.Task[None] = field(init=False)

    @property
    def done(self) -> bool:
        """Return whether the caller has finished."""
        return self.task.done()


@dataclass(eq=False, kw_only=True)
class Conversation(Caller):
    """Caller of one agent run.

    ``incomplete``: text may be missing; ``give_ups``: how often the client had
    stopped retrying before.
    """

    number: int
    plan: RunPlan
    incomplete: bool
    give_ups: int
    run: AgentRun | None = None
    received: list[str] = field(default_factory=list)
    result: RunResult | None = None

    @property
    def message(self) -> str:
        """Return the prompt; none contains another."""
        return f"{PROMPT} {self.number:03}"

    @property
    def expected(self) -> str:
        """Return the complete reply."""
        return SEPARATOR.join(self.plan.texts(self.number))

    async def read_reply(self, client: GatewayClient) -> None:
        """Start the run and read its reply."""
        try:
            self.run = await client.start_run(
                RunRequest(self.message, self.session_key)
            )
            async for text in self.run:
                self.received.append(text)
            self.result = await self.run.result()
        except GatewayError as err:
            self.errors.append(err)

    async def abort(self, run: AgentRun) -> None:
        """Abort the run."""
        try:
            await run.abort()
        except GatewayError as err:
            self.errors.append(err)


@dataclass(eq=False, kw_only=True)
class Call(Caller):
    """Caller of one request."""

    payload: Json = None

    async def send(self, client: GatewayClient) -> None:
        """Request a session's history; the response names the session."""
        try:
            params = {"sessionKey": self.session_key}
            self.payload = await client.request("chat.history", params)
        except GatewayError as err:
            self.errors.append(err)
