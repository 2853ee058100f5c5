"""Pictures and files of replies."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator

from aiohttp import ClientSession
import pytest

from custom_components.clawd.gateway import (
    TASK_EVENT,
    Endpoint,
    Event,
    GatewayClient,
    MediaError,
    MediaProblem,
    RunRequest,
    Task,
    TaskStatus,
)
from tests.simulator import Media, Reply

from .clients import client_at, new_credentials, running
from .gateway_harness import GatewayHarness
from .gateways import Gateway
from .model import PIXEL

LIMIT = 1_000_000
FILES = {
    "pic.png": ("image/png", b64decode(PIXEL)),
    "note.txt": ("text/plain", b"The milk is out."),
}
OUTSIDE = "/etc/passwd"


@pytest.fixture
async def session() -> AsyncGenerator[ClientSession]:
    """Return a session of HTTP requests."""
    async with ClientSession() as session:
        yield session


async def reply_with(
    harness: GatewayHarness, client: GatewayClient, key: str, *references: str
) -> tuple[str, ...]:
    """Ask for a reply that shows files; return the references in it."""
    harness.set_script(Reply("Here."), Media(references))
    lines = "".join(rf"\nMEDIA:{reference}" for reference in references)
    run = await client.start_run(RunRequest(rf"say Here.\n{lines}", key))
    result = await run.result()
    assert result.text == "Here."
    return result.media


@pytest.mark.parametrize("protocol", [4])
async def test_files_of_the_workspace_are_handed_out(
    harness: GatewayHarness,
    client: GatewayClient,
    session: ClientSession,
    session_key: str,
) -> None:
    for name, (mime_type, content) in FILES.items():
        harness.write_file(name, mime_type, content)
    names = [f"./{name}" for name in FILES]
    references = await reply_with(harness, client, session_key, *names)
    assert len(references) == len(FILES)
    for reference, expected in zip(references, FILES.values(), strict=True):
        media = await client.media.fetch(session, reference, session_key, LIMIT)
        assert (media.mime_type, media.content) == expected


@pytest.mark.parametrize("protocol", [4])
async def test_a_single_file_is_told(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    mime_type, content = FILES["pic.png"]
    harness.write_file("pic.png", mime_type, content)
    [reference] = await reply_with(harness, client, session_key, "./pic.png")
    assert reference.endswith("pic.png")


@pytest.mark.parametrize("protocol", [4])
async def test_a_reply_may_be_nothing_but_a_file(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    mime_type, content = FILES["pic.png"]
    harness.write_file("pic.png", mime_type, content)
    harness.set_script(Media(("./pic.png",)))
    run = await client.start_run(RunRequest("say MEDIA:./pic.png", session_key))
    result = await run.result()
    assert not result.text.strip()
    [reference] = result.media
    assert reference.endswith("pic.png")


@pytest.mark.parametrize("protocol", [4])
async def test_a_file_outside_of_the_workspace_is_not_handed_out(
    harness: GatewayHarness,
    client: GatewayClient,
    session: ClientSession,
    session_key: str,
) -> None:
    await reply_with(harness, client, session_key, OUTSIDE)
    with pytest.raises(MediaError) as error:
        await client.media.fetch(session, OUTSIDE, session_key, LIMIT)
    assert error.value.problem is MediaProblem.NOT_FOUND


async def test_an_address_is_told(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    url = "https://e.example/a.png"
    assert url in await reply_with(harness, client, session_key, url)


async def test_an_image_of_the_agent_is_handed_out(
    equipped_gateway: Gateway, session: ClientSession, session_key: str
) -> None:
    tasks: dict[str, Task] = {}
    changed = asyncio.Event()

    def listen(event: Event) -> None:
        task = Task.from_payload(event.payload)
        if task and (task.kind, task.session_key) == ("image_generation", session_key):
            tasks[task.id] = task
            changed.set()

    endpoint = Endpoint("127.0.0.1", equipped_gateway.port)
    credentials = new_credentials(equipped_gateway.token)
    async with running(client_at(endpoint, credentials)) as client:
        client.subscribe(TASK_EVENT, listen)
        message = 'use image_generate {"prompt":"a cat"} | say On it.'
        run = await client.start_run(RunRequest(message, session_key))
        assert (await run.result()).text == "On it."
        # As `ReplyMedia` does: by the end of the run, its task is known.
        [task] = tasks.values()
        while not tasks[task.id].status.final:
            await changed.wait()
            changed.clear()
        assert tasks[task.id].status is TaskStatus.COMPLETED
        artifacts = await client.artifacts.list(session_key)
        [artifact] = [found for found in artifacts if task.id in found.run_id]
        media = await client.media.fetch_artifact(
            session, artifact.id, session_key, LIMIT
        )
        # The run that tells of the picture has ended before the task.
        told = await client.fetch_usage(session_key, artifact.run_id)
        assert told.model
        assert told.usage.total
    assert (media.mime_type, media.content) == ("image/png", b64decode(PIXEL))


@pytest.mark.slow
async def test_an_image_cannot_be_cancelled_but_its_session_is_deleted(
    equipped_gateway: Gateway, session_key: str
) -> None:
    endpoint = Endpoint("127.0.0.1", equipped_gateway.port)
    credentials = new_credentials(equipped_gateway.token)
    async with running(client_at(endpoint, credentials)) as client:
        output = await client.tools.invoke(
            "image_generate", {"prompt": "a cat"}, session_key
        )
        task_id = output.details["taskId"]
        assert not await client.tasks.cancel(task_id)
        ended = asyncio.Event()

        def listen(event: Event) -> None:
            task = Task.from_payload(event.payload)
            if task and task.id == task_id and task.status.final:
                ended.set()

        client.subscribe(TASK_EVENT, listen)
        if not (await client.tasks.get(task_id)).status.final:
            await ended.wait()
        assert await client.sessions.delete(session_key)
        assert not await client.sessions.delete(session_key)
