"""Commands for automations."""

import asyncio

import pytest

from custom_components.clawd.gateway import (
    QUEUED,
    TASK_EVENT,
    AgentRunAborted,
    Event,
    InvalidFrameError,
    Json,
    Message,
    Payload,
    RequestFailedError,
    RunRequest,
    Task,
    TaskStatus,
)
from custom_components.clawd.gateway.commands import (
    ArtifactCommands,
    SessionCommands,
    TaskCommands,
    ToolCommands,
)
from custom_components.clawd.gateway.commands.base import Request
from tests.simulator import GatewaySimulator, Pause, Reply
from tests.unit.clients import connected

KEY = "agent:main:ha-task-1"
PICTURE = b"\x89PNG"
UNCANCELLED = {"found": True, "cancelled": False}


@pytest.fixture
def protocol() -> int:
    """Return the protocol that has all of it."""
    return 4


def answering(answer: Json) -> Request:
    """Return a fixed response to every request."""

    async def request(
        method: str,  # noqa: ARG001 - as the client's
        params: Payload | None = None,  # noqa: ARG001
        timeout: float | None = None,  # noqa: ARG001
    ) -> Json:
        return answer

    return request


async def test_a_used_session_is_deleted(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        run = await client.start_run(RunRequest("Hello", KEY))
        await run.result()
        assert await client.sessions.delete(KEY)
        assert not await client.sessions.delete(KEY)
    assert KEY not in gateway.runs.sessions


async def test_the_run_of_a_session_that_is_deleted_is_aborted(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Pause(), Reply("done"))
    async with connected(gateway) as client:
        run = await client.start_run(RunRequest("Hello", KEY))
        assert await client.sessions.delete(KEY)
        with pytest.raises(AgentRunAborted):
            await run.result()
    assert KEY not in gateway.runs.sessions


@pytest.mark.parametrize("payload", [None, {}, {"session": None}, {"session": {}}])
async def test_a_session_without_an_id_is_none(payload: object) -> None:
    sessions = SessionCommands(answering(payload))
    assert not await sessions.delete(KEY)


async def test_what_models_take_is_told_if_asked_for(
    gateway: GatewaySimulator,
) -> None:
    async with connected(gateway) as client:
        models = await client.models.list()
        assert [model.sees for model in models] == [None, None]
        models = await client.models.list(details=True)
        assert [model.sees for model in models] == [True, False]


async def test_an_image_is_made_and_fetched(gateway: GatewaySimulator) -> None:
    gateway.images.image = PICTURE
    ended = asyncio.Event()

    def listen(event: Event) -> None:
        task = Task.from_payload(event.payload)
        if task and task.status.final:
            ended.set()

    async with connected(gateway) as client:
        client.subscribe(TASK_EVENT, listen)
        await client.tools.invoke("image_generate", {"action": "list"}, KEY)
        output = await client.tools.invoke("image_generate", {"prompt": "a cat"}, KEY)
        await ended.wait()
        tools = (await client.tools.effective(KEY)).tools
        assert "image_generate" in [tool.name for tool in tools]
        task = await client.tasks.get(output.details["taskId"])
        assert task.status is TaskStatus.COMPLETED
        [artifact] = await client.artifacts.list(KEY)
        assert (artifact.mime_type, artifact.size) == ("image/png", len(PICTURE))
        url = await client.artifacts.url(KEY, artifact.id)
        assert url.endswith("?mediaTicket=TICKET")
        with pytest.raises(RequestFailedError):
            await client.artifacts.url(KEY, "another")


async def test_a_task_is_cancelled(gateway: GatewaySimulator) -> None:
    gateway.images.image = PICTURE
    gateway.images.status = "running"
    async with connected(gateway) as client:
        output = await client.tools.invoke("image_generate", {"prompt": "a cat"}, KEY)
        task_id = output.details["taskId"]
        assert not (await client.tasks.get(task_id)).status.final
        [task] = await client.tasks.active()
        assert (task.id, task.session_key, task.by_agent) == (task_id, KEY, True)
        assert await client.tasks.cancel(task_id)
        assert await client.tasks.active() == ()
        assert (await client.tasks.get(task_id)).status is TaskStatus.CANCELLED
        with pytest.raises(RequestFailedError):
            await client.tasks.cancel("another")


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        ({"found": True, "cancelled": True}, True),
        ({"found": False, "cancelled": False}, True),
        (UNCANCELLED, False),
        (UNCANCELLED | {"task": {"taskId": "t"}}, False),
        (UNCANCELLED | {"task": {"taskId": "t", "status": "running"}}, False),
        (UNCANCELLED | {"task": {"taskId": "t", "status": "completed"}}, True),
        (None, True),
    ],
)
async def test_a_task_may_go_on(answer: Json, *, ended: bool) -> None:
    assert await TaskCommands(answering(answer)).cancel("t") is ended


async def test_the_run_of_a_client_is_no_task_of_an_agent() -> None:
    rows = [{"taskId": "t", "status": "running", "kind": "cli"}, {"taskId": "no"}, 7]
    [task] = await TaskCommands(answering({"tasks": [*rows]})).active()

    assert (task.id, task.session_key, task.by_agent) == ("t", "", False)
    assert await TaskCommands(answering(None)).active() == ()


async def test_a_tool_that_is_not_there_is_named_by_its_code(
    gateway: GatewaySimulator,
) -> None:
    async with connected(gateway) as client:
        with pytest.raises(RequestFailedError):
            await client.tools.effective(KEY)
        with pytest.raises(RequestFailedError) as error:
            await client.tools.invoke("image_generate", {"prompt": "a cat"}, KEY)
    assert error.value.code == "not_found"
    assert error.value.reason == "Tool not available: image_generate"


async def test_a_message_is_sent_or_queued(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        message = Message("42", "Door", "telegram", "QUJD", "image/png", "cam.png")
        assert await client.messages.send(message) == "101"
        with pytest.raises(RequestFailedError) as error:
            await client.messages.send(Message("@nobody", "Door"))
        assert error.value.code == QUEUED
    first, second = gateway.received("send")
    assert first.params.pop("idempotencyKey") != second.params["idempotencyKey"]
    assert first.params == {
        "to": "42",
        "message": "Door",
        "channel": "telegram",
        "buffer": "QUJD",
        "contentType": "image/png",
        "filename": "cam.png",
    }
    assert second.params.keys() == {"to", "message", "idempotencyKey"}


async def test_a_message_may_have_no_id(gateway: GatewaySimulator) -> None:
    gateway.edit("send", lambda payload: payload.pop("messageId"))
    async with connected(gateway) as client:
        assert await client.messages.send(Message("42", "Door")) is None


async def test_an_agent_is_woken(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        await client.system.wake("It rings.")
        await client.system.wake("It rained.", now=False, session_key=KEY)
    first, second = gateway.received("wake")
    assert first.params == {"mode": "now", "text": "It rings."}
    assert second.params == {
        "mode": "next-heartbeat",
        "text": "It rained.",
        "sessionKey": KEY,
    }


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"groups": 1},
        {"ok": True},
        {"ok": False, "error": {}},
        {"artifacts": {}},
        {"url": 1},
        {"task": {"taskId": "1", "status": "new"}},
        {"task": {"taskId": 1, "status": "running"}},
    ],
)
async def test_an_answer_that_is_none_is_an_error(payload: object) -> None:
    request = answering(payload)
    with pytest.raises(InvalidFrameError):
        await ToolCommands(request).effective(KEY)
    with pytest.raises(InvalidFrameError):
        await ToolCommands(request).invoke("x", {}, KEY)
    with pytest.raises(InvalidFrameError):
        await TaskCommands(request).get("1")
    with pytest.raises(InvalidFrameError):
        await ArtifactCommands(request).list(KEY)
    with pytest.raises(InvalidFrameError):
        await ArtifactCommands(request).url(KEY, "1")


async def test_entries_that_cannot_be_read_are_skipped() -> None:
    groups = [None, {"tools": 1}, {"tools": [None, {}, {"id": 1}, {"id": "exec"}]}]
    tools = ToolCommands(answering({"groups": groups}))
    assert [tool.name for tool in (await tools.effective(KEY)).tools] == ["exec"]
    entries = [None, {"id": "1"}, {"id": "2", "mimeType": "a/b", "sizeBytes": "many"}]
    artifacts = ArtifactCommands(answering({"artifacts": entries}))
    [artifact] = await artifacts.list(KEY)
    assert (artifact.id, artifact.size) == ("2", None)
