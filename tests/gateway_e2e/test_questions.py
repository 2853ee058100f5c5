"""Questions of agents on the real Gateway."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
import json

import pytest

from custom_components.clawd.gateway import (
    ANSWERING_PROFILE,
    REQUESTED,
    RESOLVED,
    AgentQuestion,
    Cause,
    Endpoint,
    Event,
    GatewayClient,
    GatewayError,
    RequestFailedError,
    RunRequest,
    ScopeStatus,
)
from tests.simulator import AskUser, ReplyResult

from .clients import TIMING, new_credentials, running
from .editions import EDITIONS
from .gateway_harness import GatewayHarness

V4 = max(EDITIONS)
QUESTIONS = "operator.questions"
ROOM = {
    "id": "room",
    "header": "Room",
    "question": "Which room?",
    "options": [{"label": "Kitchen", "description": "by the sink"}, {"label": "Bath"}],
}
# Seconds for an answer: of a person in a browser, on a busy machine.
ANSWER_TIME = 300
ARGUMENTS = json.dumps({"questions": [ROOM], "timeoutSeconds": ANSWER_TIME})
ASK = f"use ask_user {ARGUMENTS} | quote"
# Seconds; commands of the Gateway take many of them on a busy machine.
TIMEOUT = 90

pytestmark = pytest.mark.parametrize("protocol", [V4])


class Asked:
    """Client that may answer questions, and the questions it has seen."""

    def __init__(self, client: GatewayClient) -> None:
        """Listen to the questions of a client."""
        self.client = client
        self.questions: list[AgentQuestion] = []
        self.ended: list[str] = []
        self._changed = asyncio.Event()
        client.subscribe(REQUESTED, self._add)
        client.subscribe(RESOLVED, self._end)
        client.subscribe_scopes(lambda _: self._changed.set())

    async def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        async with asyncio.timeout(TIMEOUT):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def wait_status(self, status: ScopeStatus) -> None:
        """Wait until the optional scopes have a status, on a live connection."""
        await self.wait(lambda: self.client.optional_scopes.status is status)
        await self.client.wait_connected()

    def _add(self, event: Event) -> None:
        self.questions.append(self.client.questions.read(event.payload))
        self._changed.set()

    def _end(self, event: Event) -> None:
        self.ended.append(event.payload["status"])
        self._changed.set()


@asynccontextmanager
async def asking(harness: GatewayHarness) -> AsyncGenerator[Asked]:
    """Run a new device that asks for the scope of questions."""
    endpoint = Endpoint("127.0.0.1", harness.port)
    credentials = new_credentials(harness.token)
    client = GatewayClient(
        endpoint, credentials, profile=ANSWERING_PROFILE, timing=TIMING
    )
    asked = Asked(client)
    async with running(client):
        await asked.wait_status(ScopeStatus.PENDING)
        yield asked


@asynccontextmanager
async def granted(harness: GatewayHarness) -> AsyncGenerator[Asked]:
    """Run a device with the scope of questions."""
    async with asking(harness) as asked:
        await harness.approve(asked.client.optional_scopes.request_id)
        await asked.wait_status(ScopeStatus.GRANTED)
        yield asked


async def test_the_owner_approves_and_the_answer_is_used(
    harness: GatewayHarness, session_key: str
) -> None:
    harness.set_script(AskUser([ROOM], ANSWER_TIME), ReplyResult())
    async with granted(harness) as asked:
        client = asked.client
        assert client.hello
        assert QUESTIONS in client.hello.scopes
        causes = [change.cause for change in client.introspection.transitions]
        assert Cause.REFUSED not in causes

        run = await client.start_run(RunRequest(ASK, session_key))
        await asked.wait(lambda: bool(asked.questions))
        [question] = asked.questions
        assert (question.run_id, question.session_key) == (run.run_id, session_key)
        [item] = question.items
        assert [choice.label for choice in item.choices] == ["Kitchen", "Bath"]
        assert item.is_free
        assert question in await client.questions.list()
        await client.questions.resolve(question.id, {"room": ["Kitchen"]})
        result = await run.result()
        assert "Room: Kitchen" in result.text
        await asked.wait(lambda: asked.ended == ["answered"])
        with pytest.raises(RequestFailedError):
            await client.questions.cancel(question.id)


async def test_words_of_ones_own_and_no_answer(
    harness: GatewayHarness, session_key: str
) -> None:
    async with granted(harness) as asked:
        for number in (1, 2):
            harness.set_script(AskUser([ROOM], ANSWER_TIME), ReplyResult())
            key = f"{session_key}-{number}"
            run = await asked.client.start_run(RunRequest(ASK, key))
            await asked.wait(lambda: bool(asked.questions))
            question = asked.questions.pop()
            commands = asked.client.questions
            if number == 1:
                await commands.resolve(question.id, {"room": ["the cellar"]})
                assert "the cellar" in (await run.result()).text
            else:
                await commands.cancel(question.id)
                assert "cancelled" in (await run.result()).text
        await asked.wait(lambda: asked.ended == ["answered", "cancelled"])


async def test_the_owner_refuses_and_the_connection_stays(
    harness: GatewayHarness, session_key: str
) -> None:
    harness.set_script(AskUser([ROOM], ANSWER_TIME), ReplyResult())
    async with asking(harness) as asked:
        client = asked.client
        connects = client.statistics.connects
        await harness.reject(client.optional_scopes.request_id)
        await asked.wait_status(ScopeStatus.DENIED)
        with pytest.raises(GatewayError):
            await client.questions.list()
        # The agent is told that it cannot ask.
        run = await client.start_run(RunRequest(ASK, session_key))
        assert "Room: Kitchen" not in (await run.result()).text
        assert client.statistics.connects == connects
    assert asked.questions == []


async def test_a_run_that_is_stopped_ends_its_question(
    harness: GatewayHarness, session_key: str
) -> None:
    harness.set_script(AskUser([ROOM], ANSWER_TIME), ReplyResult())
    async with granted(harness) as asked:
        run = await asked.client.start_run(RunRequest(ASK, session_key))
        await asked.wait(lambda: bool(asked.questions))
        await run.abort()
        await asked.wait(lambda: asked.ended == ["cancelled"])
