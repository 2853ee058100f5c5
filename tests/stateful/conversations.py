"""Questions to the agent, and what becomes of them."""

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

PROMPT: Final = "who-stole-the-cookie"
REPLY: Final = "it-was-the-gardener"
REASON: Final = "the-detective-is-ill"
SESSIONS: Final = ("agent:main:ha-secret-one", "agent:main:ha-secret-two")
SEPARATOR: Final = "\n\n"
LONG: Final = "a long tail " * 1_000

WORDS: Final = st.sampled_from(
    [
        *("a", "zwei", "\n", '"\\', "\u65e5\u672c", "e\u0301", "\x7f\u2028"),
        *("\U0001f469\u200d\U0001f467", "\u202e\u05e9\u05dc\u05d5\u05dd", LONG),
    ]
)


type Place = tuple[int, int]


@dataclass(frozen=True)
class Plan:
    """What a run says: segments of words, with pauses and cuts before some of them.

    ``ending`` is how it ends; ``retried`` says that the model fails at first.
    """

    segments: tuple[tuple[str, ...], ...]
    pauses: frozenset[Place] = frozenset()
    cuts: frozenset[Place] = frozenset()
    retried: bool = False
    ending: str = "well"

    def texts(self, number: int) -> list[str]:
        """Return the text of each segment; no two runs say the same."""
        return [
            "".join(self.chunks(number, index)) for index in range(len(self.segments))
        ]

    def chunks(self, number: int, index: int) -> tuple[str, ...]:
        """Return a segment in pieces; it starts and ends with a word."""
        return (f"{REPLY}-{number}-{index} ", *self.segments[index], ".")

    def script(self, number: int) -> Script:
        """Return what the Gateway does when it is asked."""
        if self.ending == "refused":
            return (Refuse(REASON),)
        return tuple(self.steps(number))

    def steps(self, number: int) -> list[Step]:
        """Return what the run does."""
        steps: list[Step] = [Retry(REASON)] if self.retried else []
        for index in range(len(self.segments)):
            if index:
                steps.append(Tool("look", {"where": PROMPT}))
            for place, chunk in enumerate(self.chunks(number, index)):
                steps += [Pause()] if (index, place) in self.pauses else []
                steps += [Drop()] if (index, place) in self.cuts else []
                steps.append(Reply(chunks=(chunk,)))
        return [*steps, Fail(REASON)] if self.ending == "failed" else steps


PLACES: Final = st.tuples(st.integers(0, 2), st.integers(0, 3))
PLANS: Final = st.builds(
    Plan,
    st.lists(st.lists(WORDS, max_size=4).map(tuple), min_size=1, max_size=3).map(tuple),
    st.frozensets(PLACES, max_size=3),
    st.frozensets(PLACES, max_size=1),
    st.booleans(),
    st.sampled_from(["well", "well", "well", "failed", "refused"]),
)


@dataclass(eq=False, kw_only=True)
class Caller:
    """Somebody who asks something of a client.

    ``excused``: it may get an error; ``drops`` is the number of connections lost
    before; ``seconds``: by how much the clock has jumped since.
    """

    session_key: str
    excused: bool
    drops: int
    seconds: float = 0.0
    errors: list[GatewayError] = field(default_factory=list)
    task: asyncio.Task[None] = field(init=False)

    @property
    def done(self) -> bool:
        """Return whether the caller has left."""
        return self.task.done()


@dataclass(eq=False, kw_only=True)
class Conversation(Caller):
    """A caller with one question to an agent.

    ``incomplete``: it may get only a part of the text; ``given_up`` is how often
    the client had stopped to try before.
    """

    number: int
    plan: Plan
    incomplete: bool
    given_up: int
    run: AgentRun | None = None
    told: list[str] = field(default_factory=list)
    result: RunResult | None = None

    @property
    def message(self) -> str:
        """Return the question; none is part of another."""
        return f"{PROMPT} {self.number:03}"

    @property
    def expected(self) -> str:
        """Return the whole reply."""
        return SEPARATOR.join(self.plan.texts(self.number))

    async def hold(self, client: GatewayClient) -> None:
        """Ask and listen to the end."""
        try:
            self.run = await client.start_run(
                RunRequest(self.message, self.session_key)
            )
            async for text in self.run:
                self.told.append(text)
            self.result = await self.run.result()
        except GatewayError as err:
            self.errors.append(err)

    async def abort(self, run: AgentRun) -> None:
        """Stop the run."""
        try:
            await run.abort()
        except GatewayError as err:
            self.errors.append(err)


@dataclass(eq=False, kw_only=True)
class Call(Caller):
    """A caller with one request."""

    payload: Json = None

    async def ask(self, client: GatewayClient) -> None:
        """Ask for the history of a session, which says whose it is."""
        try:
            params = {"sessionKey": self.session_key}
            self.payload = await client.request("chat.history", params)
        except GatewayError as err:
            self.errors.append(err)
