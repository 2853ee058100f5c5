"""Pictures and files of replies."""

from base64 import b64decode
from collections.abc import AsyncGenerator

from aiohttp import ClientSession
import pytest

from custom_components.clawd.gateway import (
    GatewayClient,
    MediaError,
    MediaProblem,
    RunRequest,
)
from tests.simulator import Media, Reply

from .gateway_harness import GatewayHarness
from .test_automation import PIXEL

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
