"""Questions of agents: read, answered and cancelled."""

from contextlib import suppress
from typing import Any

import pytest

from custom_components.clawd.gateway import (
    ANSWERING_PROFILE,
    REQUESTED,
    RESOLVED,
    AgentQuestion,
    ClientInfo,
    Credentials,
    DeviceIdentity,
    DeviceToken,
    Endpoint,
    Event,
    GatewayClient,
    InvalidFrameError,
    Json,
    MissingScopeError,
    RequestFailedError,
    RunRequest,
)
from tests.simulator import AskUser, GatewaySimulator, ReplyResult
from tests.unit.clients import TIMING, connected, running

ROOM = {
    "id": "room",
    "header": "Room",
    "question": "Which room?",
    "options": [{"label": "Kitchen", "description": "by the sink"}, {"label": "Bath"}],
}
READABLE = {"questionId": "a", "question": "Which?"}
SCOPES = ("operator.read", "operator.write", "operator.questions")
KEY = "agent:main:ha-test"
pytestmark = pytest.mark.parametrize("protocol", [4])


def client_of(gateway: GatewaySimulator) -> GatewayClient:
    """Return a client with the scope of questions."""
    identity = DeviceIdentity.generate()
    gateway.devices.approved[identity.device_id] = {*SCOPES}
    gateway.devices.tokens[identity.device_id] = "the-token-of-the-device"
    own = DeviceToken("the-token-of-the-device", SCOPES)
    return GatewayClient(
        Endpoint(gateway.host, gateway.port),
        Credentials(identity, ClientInfo("0"), device_token=own),
        profile=ANSWERING_PROFILE,
        timing=TIMING,
    )


async def test_a_question_is_asked_and_answered(gateway: GatewaySimulator) -> None:
    gateway.clock_shift_ms = -60_000
    gateway.script(AskUser([ROOM], timeout=30), ReplyResult())
    client = client_of(gateway)
    asked: list[AgentQuestion] = []
    ended: list[Any] = []

    def show(event: Event) -> None:
        asked.append(client.questions.read(event.payload))
        gateway.notify()

    client.subscribe(REQUESTED, show)
    client.subscribe(RESOLVED, lambda event: ended.append(event.payload))
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("ask me", KEY))
        await gateway.wait_until(lambda: bool(asked))
        assert await client.questions.list() == tuple(asked)
        [question] = asked
        assert (question.session_key, question.run_id) == (KEY, run.run_id)
        assert question.agent_id == "main"
        [item] = question.items
        assert (item.id, item.header, item.text) == ("room", "Room", "Which room?")
        assert [choice.label for choice in item.choices] == ["Kitchen", "Bath"]
        assert item.choices[0].description == "by the sink"
        assert item.is_free
        assert not item.multi_select
        assert not item.is_secret
        # By our clock, which is a minute ahead of the Gateway's.
        [record] = gateway.questions.open
        shift = question.expires_at - record.record["expiresAtMs"] / 1000
        assert shift == pytest.approx(60, abs=2)

        await client.questions.resolve(question.id, {"room": ["Kitchen"]})
        result = await run.result()
        assert "Room: Kitchen" in result.text
        assert await client.questions.list() == ()
    assert [event["status"] for event in ended] == ["answered"]


async def test_a_question_is_cancelled_once(gateway: GatewaySimulator) -> None:
    gateway.script(AskUser([ROOM]), ReplyResult())
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("ask me", KEY))
        await gateway.wait_until(lambda: bool(gateway.questions.open))
        [question] = await client.questions.list()
        await client.questions.cancel(question.id)
        assert '"cancelled"' in (await run.result()).text
        with pytest.raises(RequestFailedError):
            await client.questions.cancel(question.id)


async def test_without_the_scope_nothing_is_asked(gateway: GatewaySimulator) -> None:
    gateway.script(AskUser([ROOM]), ReplyResult())
    async with connected(gateway) as client:
        run = await client.start_run(RunRequest("ask me", KEY))
        assert "verified user profile" in (await run.result()).text
        with pytest.raises(MissingScopeError):
            await client.questions.list()


@pytest.mark.parametrize(
    "payload",
    [
        {},
        None,
        {"id": "ask_1", "expiresAtMs": "soon", "questions": []},
        {"id": "ask_1", "expiresAtMs": 1, "questions": []},
        {"id": "ask_1", "expiresAtMs": 1, "questions": "none"},
        {"id": "ask_1", "expiresAtMs": 1e300, "questions": [READABLE]},
        {"id": "ask_1", "expiresAtMs": -1, "questions": [READABLE]},
        {"id": "ask_1", "expiresAtMs": 1, "questions": [READABLE, READABLE]},
        {"id": "ask_1", "expiresAtMs": 1, "questions": [{"questionId": "a"}]},
    ],
)
async def test_what_is_no_question(gateway: GatewaySimulator, payload: Json) -> None:
    client = client_of(gateway)
    with pytest.raises(InvalidFrameError):
        client.questions.read(payload)


async def test_odd_parts_of_a_question(gateway: GatewaySimulator) -> None:
    question = client_of(gateway).questions.read(
        {
            "id": "ask_1",
            "expiresAtMs": 5000,
            "questions": [
                {"questionId": "a", "question": "Which?", "options": [{"label": 1}]},
                {"questionId": "b", "question": "Code?", "isSecret": True, "header": 1},
            ],
            "runId": 1,
        }
    )
    first, second = question.items
    assert first.choices == ()
    assert first.is_free
    assert second.is_secret
    assert second.header == question.run_id == question.session_key == ""
    assert question.expires_at == 5


async def test_a_question_that_cannot_be_read_hides_no_other(
    gateway: GatewaySimulator,
) -> None:
    ours = {"id": "ask_1", "expiresAtMs": 5000, "questions": [READABLE]}
    others = [None, {}, ours | {"questions": []}, ours | {"expiresAtMs": "soon"}]
    gateway.edit(
        "question.list", lambda answer: answer.update(questions=[*others, ours])
    )
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        assert [question.id for question in await client.questions.list()] == ["ask_1"]


async def test_a_list_that_is_none(gateway: GatewaySimulator) -> None:
    gateway.edit("question.list", lambda answer: answer.clear())
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        with pytest.raises(InvalidFrameError):
            await client.questions.list()


async def test_a_run_that_is_stopped_cancels_its_question(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(AskUser([ROOM]), ReplyResult())
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("ask me", KEY))
        await gateway.wait_until(lambda: bool(gateway.questions.open))
        with suppress(RequestFailedError):
            await run.abort()
        await gateway.wait_until(lambda: not gateway.questions.open)
        assert await client.questions.list() == ()
