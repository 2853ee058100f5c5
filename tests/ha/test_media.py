"""Media of a reply and their access."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from http import HTTPStatus
import os
from pathlib import Path
import re
import stat
from typing import Any, Self

from aiohttp.test_utils import TestClient
from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.auth.models import User
from homeassistant.components import persistent_notification
from homeassistant.components.conversation import AssistantContent, ConversationResult
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.clawd.assist import media as shown_media, media_cache
from custom_components.clawd.assist.media import Asker, reply_media
from custom_components.clawd.assist.media_cache import (
    MEDIA_CACHE,
    MediaCache,
    MediaNotKeptError,
)
from custom_components.clawd.const import DOMAIN
from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.diagnostics import async_get_config_entry_diagnostics
from custom_components.clawd.gateway import Media as Downloaded
from tests.simulator import GatewaySimulator, Media, Pause, Reply
from tests.simulator.images import finish_image, make_image

from .assist_client import Conversation, speech, wait_processed
from .states import CONNECTIVITY, wait_for_state

type Browser = TestClient[Any, Any]

PICTURE = b"\x89PNG\r\n"
PATH = re.compile(r"/api/clawd/media/[^)\"]+")
SCRIPT = b"<script>alert(1)</script>"


@pytest.fixture(autouse=True)
async def cache(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Return the folder of the cache, which is not that of other tests."""
    monkeypatch.setattr(
        hass.config, "cache_path", lambda *path: str(tmp_path.joinpath(*path))
    )
    return tmp_path / DOMAIN / "media"


@pytest.fixture
def gateway_media(gateway: GatewaySimulator) -> dict[str, tuple[str, bytes]]:
    """Return the files of the workspace: a picture and a note."""
    files = gateway.http.files
    files["/ws/my_pic.png"] = ("image/png", PICTURE)
    files["./note.txt"] = ("text/plain", b"The milk is out.")
    return files


def show(gateway: GatewaySimulator, *references: str, text: str = "Here.") -> None:
    """Let the agent show something."""
    reply = (Reply(text),) if text else ()
    gateway.script(*reply, Media(references))


def kept(hass: HomeAssistant) -> MediaCache:
    """Return the cache."""
    return hass.data[MEDIA_CACHE]


def names(folder: Path) -> list[str]:
    """Return the names of the kept files."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def modes(folder: Path) -> tuple[int, set[int]]:
    """Return the permissions of the folder, and those of its files."""
    files = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    return stat.S_IMODE(folder.stat().st_mode), files


def last_text(conversation: Conversation) -> str | None:
    """Return the last text in the chat log."""
    last = conversation.content[-1]
    assert isinstance(last, AssistantContent)
    return last.content


async def paths_in(
    conversation: Conversation,
    **more: Any,  # noqa: ANN401 - as of `say`
) -> list[str]:
    """Return the signed paths in the reply to a question."""
    return PATH.findall(speech(await conversation.say("Show me.", **more)))


async def fetch(client: Browser, path: str) -> tuple[int, str, dict[str, str]]:
    """Return status, body and headers of an answer."""
    response = await client.get(path)
    headers = {name.title(): value for name, value in response.headers.items()}
    return response.status, (await response.read()).decode("latin-1"), headers


async def user_of(hass: HomeAssistant, name: str) -> User:
    """Return a user without admin rights."""
    group = await hass.auth.async_get_group(GROUP_ID_USER)
    assert group
    user = MockUser(name=name, groups=[group])
    return user.add_to_hass(hass)


async def token_of(hass: HomeAssistant, user: User) -> str:
    """Return the access token of a user."""
    token = await hass.auth.async_create_refresh_token(user, "https://app.example")
    return hass.auth.async_create_access_token(token)


@pytest.mark.usefixtures("gateway_media")
async def test_a_picture_and_a_file_are_shown_in_a_chat(
    conversation: Conversation,
    gateway: GatewaySimulator,
    hass_client_no_auth: ClientSessionGenerator,
    cache: Path,
) -> None:
    show(gateway, "/ws/my_pic.png", "./note.txt")
    reply = speech(await conversation.say("Show me."))

    text, picture, note = reply.split("\n\n")
    assert text == "Here."
    assert re.fullmatch(r"!\[my\\_pic.png\]\(/api/clawd/media/\S+\)", picture)
    assert re.fullmatch(
        r'<a href="/api/clawd/media/\S+" target="_blank">note.txt</a>', note
    )
    assert "".join(conversation.deltas) == reply
    assert last_text(conversation) == reply
    assert gateway.token not in reply

    browser = await hass_client_no_auth()
    status, body, headers = await fetch(browser, PATH.findall(picture)[0])
    assert (status, body.encode("latin-1")) == (HTTPStatus.OK, PICTURE)
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Disposition"] == "inline; filename*=UTF-8''my_pic.png"
    assert headers["Cache-Control"].startswith("private")
    status, body, headers = await fetch(browser, PATH.findall(note)[0])
    assert (status, body) == (HTTPStatus.OK, "The milk is out.")
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''note.txt"
    assert headers["X-Content-Type-Options"] == "nosniff"

    assert len(names(cache)) == 2
    assert modes(cache) == (0o700, {0o600})


@pytest.mark.parametrize(
    "mime_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "x/y", ""]
)
async def test_what_may_hold_a_script_is_only_downloaded(
    conversation: Conversation,
    gateway: GatewaySimulator,
    hass_client_no_auth: ClientSessionGenerator,
    mime_type: str,
) -> None:
    gateway.http.files["a.svg"] = (mime_type, SCRIPT)
    show(gateway, "a.svg")
    [path] = await paths_in(conversation)
    status, body, headers = await fetch(await hass_client_no_auth(), path)
    assert (status, body) == (HTTPStatus.OK, SCRIPT.decode())
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment;")
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


@pytest.mark.usefixtures("gateway_media")
async def test_only_who_asked_and_administrators_open_a_file(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    anna, ben = await user_of(hass, "Anna"), await user_of(hass, "Ben")
    show(gateway, "/ws/my_pic.png")
    [path] = await paths_in(conversation, user=anna.id)
    bare, browser = path.partition("?")[0], await hass_client_no_auth()

    assert (await fetch(browser, path))[0] == HTTPStatus.OK
    for wrong in (bare, f"{path}x"):
        status, body, _ = await fetch(browser, wrong)
        assert status == HTTPStatus.FORBIDDEN
        assert body.startswith("This link is no longer valid.")
    # No attempt to log in, unlike a wrong token.
    assert not hass.data.get(persistent_notification.DOMAIN)
    stranger = await hass_client("wrong")
    assert (await fetch(stranger, bare))[0] == HTTPStatus.UNAUTHORIZED
    assert hass.data[persistent_notification.DOMAIN]
    assert (await fetch(await hass_client(), bare))[0] == HTTPStatus.OK
    assert (await fetch(await hass_client(await token_of(hass, anna)), bare))[0] == (
        HTTPStatus.OK
    )
    status, body, headers = await fetch(
        await hass_client(await token_of(hass, ben)), bare
    )
    assert status == HTTPStatus.FORBIDDEN
    assert body.startswith("Only the user who asked the agent")
    assert "sandbox" in headers["Content-Security-Policy"]


@pytest.mark.usefixtures("gateway_media", "entry")
async def test_a_link_of_a_browser_ends_with_its_login(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_access_token: str,
) -> None:
    show(gateway, "/ws/my_pic.png")
    socket = await hass_ws_client()
    question = {"type": "conversation/process", "text": "Show me."}
    await socket.send_json_auto_id(question | {"agent_id": "conversation.main"})
    answer = await socket.receive_json()
    # A login that ends would break the socket off.
    await socket.close()
    [path] = PATH.findall(answer["result"]["response"]["speech"]["plain"]["speech"])
    browser = await hass_client_no_auth()
    assert (await fetch(browser, path))[0] == HTTPStatus.OK
    login = hass.auth.async_validate_access_token(hass_access_token)
    assert login
    hass.auth.async_remove_refresh_token(login)
    assert (await fetch(browser, path))[0] == HTTPStatus.FORBIDDEN


@pytest.mark.usefixtures("gateway_media")
async def test_a_link_expires(
    conversation: Conversation,
    gateway: GatewaySimulator,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    show(gateway, "/ws/my_pic.png")
    monkeypatch.setattr(shown_media, "LINK_EXPIRATION", timedelta(seconds=-1))
    [path] = await paths_in(conversation)
    status, body, _ = await fetch(await hass_client_no_auth(), path)
    assert status == HTTPStatus.FORBIDDEN
    assert body.startswith("This link is no longer valid.")


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("/etc/passwd", "*passwd cannot be shown: it no longer exists"),
        ("file:///etc/passwd", "*passwd cannot be shown: it no longer exists"),
        ("media://inbound/a\\b*.png", "*b\\*.png cannot be shown: it no longer"),
        ("C:\\claw\\a.png", "*a.png cannot be shown: it no longer exists"),
        ("/ws/..\n/", "*.. cannot be shown: it no longer exists"),
        ("http://10.0.0.1/a.png", "*a.png cannot be shown: only files of the"),
        ("data:text/html,<b>x", "*html,\\<b\\>x cannot be shown: only files"),
        ("https://user:secret@e.example/a.png", "*a.png cannot be shown: only files"),
        ("https://[broken/a.png", "*a.png cannot be shown: only files"),
        ("javascript:alert(1)", "*javascript:alert(1) cannot be shown: only files"),
        (
            "https://e.example/my pic_(1).png?a=<b>",
            "[e.example/my pic\\_(1).png](<https://e.example/my%20pic_(1).png",
        ),
        ("HTTPS://e.example/a.png", "[e.example/a.png](<https://e.example/a.png>)"),
    ],
)
async def test_what_is_no_file_of_the_workspace_is_told(
    conversation: Conversation,
    gateway: GatewaySimulator,
    cache: Path,
    reference: str,
    text: str,
) -> None:
    show(gateway, reference)
    _, shown = speech(await conversation.say("Show me.")).split("\n\n")
    assert shown.startswith(text)
    assert names(cache) == []


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (401, "*a.png cannot be shown: the Gateway, or a proxy in front of it"),
        (302, "*a.png cannot be shown: the Gateway, or a proxy in front of it"),
        (500, "*a.png cannot be shown: the Gateway returned an error"),
    ],
)
async def test_a_gateway_that_hands_out_nothing_is_told(
    conversation: Conversation, gateway: GatewaySimulator, status: int, text: str
) -> None:
    gateway.http.status = status
    show(gateway, "a.png")
    assert text in speech(await conversation.say("Show me."))


@pytest.mark.usefixtures("gateway_media")
async def test_a_file_that_is_too_large_is_told(
    conversation: Conversation,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
) -> None:
    monkeypatch.setattr(shown_media, "MAX_FILE_SIZE", 3)
    show(gateway, "/ws/my_pic.png")
    reply = speech(await conversation.say("Show me."))
    assert "*my\\_pic.png cannot be shown: it is larger than 0 MB.*" in reply
    assert names(cache) == []


@pytest.mark.usefixtures("gateway_media")
async def test_a_download_that_breaks_off_is_told(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.http.truncated = True
    show(gateway, "/ws/my_pic.png")
    reply = speech(await conversation.say("Show me."))
    assert "*my\\_pic.png cannot be shown: the Gateway did not send it" in reply


async def test_a_gateway_that_is_gone_is_told(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    with reply_media(hass, entry, "agent:main:ha", Asker(None, "en")) as media:
        text = await media.show(("a.png", "b.png"))
    gone = "cannot be shown: the Gateway did not send it in time.*"
    assert text == f"*a.png {gone}\n\n*b.png {gone}"
    assert gateway.http.requests == []


@pytest.mark.usefixtures("gateway_media")
async def test_a_download_that_takes_too_long_is_given_up(
    conversation: Conversation,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shown_media, "MEDIA_TIMEOUT", 0.0)
    show(gateway, "/ws/my_pic.png", "https://e.example/a.png")
    reply = speech(await conversation.say("Show me."))
    assert "*my\\_pic.png cannot be shown: the Gateway did not send it" in reply
    assert "](<https://e.example/a.png>)" in reply


@pytest.mark.usefixtures("gateway_media")
async def test_a_full_disk_is_told(
    conversation: Conversation,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
) -> None:
    class Full:
        """File of a full disk."""

        def __init__(self, descriptor: int, mode: str) -> None:
            self._file = fdopen(descriptor, mode)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

        def write(self, _: bytes) -> None:
            raise OSError

    fdopen = os.fdopen
    monkeypatch.setattr(os, "fdopen", Full)
    show(gateway, "/ws/my_pic.png")
    reply = speech(await conversation.say("Show me."))
    assert "*my\\_pic.png cannot be shown: Home Assistant could not write" in reply
    assert names(cache) == []


@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_shows_links_only(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    show(gateway, "/ws/a.png", "https://e.example/b.png")
    _, file, link = speech(await conversation.say("Show me.")).split("\n\n")
    assert file.startswith("*a.png cannot be shown: Clawdbot does not hand out files")
    assert link == "[e.example/b.png](<https://e.example/b.png>)"
    assert gateway.http.requests == []


@pytest.mark.usefixtures("gateway_media")
async def test_a_voice_device_is_not_shown_anything(
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
    cache: Path,
) -> None:
    show(gateway, "/ws/my_pic.png")
    reply = await conversation.say("Show me.", device=satellite)
    assert speech(reply) == "Here."
    show(gateway, "/ws/my_pic.png", text="")
    reply = await conversation.say("Show me.", device=satellite, language="de-DE")
    assert speech(reply).startswith("Meine Antwort ist ein Bild oder eine Datei.")
    assert last_text(conversation) == speech(reply)
    assert gateway.http.requests == []
    assert names(cache) == []


@pytest.mark.usefixtures("gateway_media")
async def test_a_reply_of_nothing_but_a_picture_is_shown(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    show(gateway, "/ws/my_pic.png", text="")
    reply = speech(await conversation.say("Show me."))
    assert reply.startswith("![my")
    assert "".join(conversation.deltas) == reply


async def test_the_cache_drops_what_was_not_used_longest(  # noqa: PLR0913, PLR0917 - fixtures
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    hass_client_no_auth: ClientSessionGenerator,
    cache: Path,
) -> None:
    # The smallest file takes a block of the disk.
    monkeypatch.setattr(media_cache, "MAX_CACHE_SIZE", 2 * 4096 + 10)
    browser = await hass_client_no_auth()
    paths: list[str] = []
    for name in ("a.png", "b.png", "c.png", "d.png"):
        gateway.http.files[name] = ("image/png", b"xxxx")
        show(gateway, name)
        if name == "c.png":
            # It is used again.
            assert (await fetch(browser, paths[0]))[0] == HTTPStatus.OK
        paths += await paths_in(conversation)
    statuses = [(await fetch(browser, path))[0] for path in paths]
    assert statuses == [404, 404, 200, 200]
    assert kept(hass).size == 8
    assert len(names(cache)) == 2


async def test_the_files_of_a_reply_do_not_drop_each_other(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    monkeypatch.setattr(media_cache, "MAX_CACHE_SIZE", 3 * 4096)
    monkeypatch.setattr(shown_media, "MAX_REPLY_SIZE", 2 * 4096 + 10)
    contents = {"a.png": b"xxxx", "b.png": b"", "c.png": b"", "d.png": b"x" * 5000}
    for name, content in contents.items():
        gateway.http.files[name] = ("image/png", content)
    show(gateway, *contents)
    reply = speech(await conversation.say("Show me."))

    *_, third, fourth = reply.split("\n\n")
    for name, text in (("c.png", third), ("d.png", fourth)):
        assert text == (
            f"*{name} cannot be shown: the files of one reply are larger than 0 MB "
            "together.*"
        )
    browser = await hass_client_no_auth()
    statuses = [(await fetch(browser, path))[0] for path in PATH.findall(reply)]
    assert statuses == [200, 200]
    # Empty files are dropped, too.
    for _ in range(2):
        show(gateway, "b.png", "c.png")
        await conversation.say("Show me.")
    assert len(kept(hass).known) == 3


@pytest.mark.usefixtures("gateway_media")
async def test_a_file_that_is_gone_is_told(  # noqa: PLR0913, PLR0917 - fixtures
    hass: HomeAssistant,
    conversation: Conversation,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    hass_client_no_auth: ClientSessionGenerator,
    cache: Path,
) -> None:
    show(gateway, "/ws/my_pic.png")
    [path] = await paths_in(conversation)
    browser = await hass_client_no_auth()
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (await fetch(browser, path))[0] == HTTPStatus.OK

    await hass.config_entries.async_remove(entry.entry_id)
    status, body, _ = await fetch(browser, path)
    assert status == HTTPStatus.NOT_FOUND
    assert body == "This link is no longer valid. Ask the agent for the file again."
    assert names(cache) == []
    assert kept(hass).outcomes == {}


async def test_the_files_of_an_earlier_process_are_deleted(
    hass: HomeAssistant, new_entry: MockConfigEntry, cache: Path
) -> None:
    def leave() -> None:
        cache.mkdir(parents=True)
        (cache / "old").write_bytes(b"x")

    await hass.async_add_executor_job(leave)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    assert names(cache) == []


async def test_the_files_of_an_entry_that_was_not_set_up_are_deleted(
    hass: HomeAssistant, new_entry: MockConfigEntry, cache: Path
) -> None:
    def leave() -> None:
        cache.mkdir(parents=True)
        (cache / "old").write_bytes(b"x")

    await hass.async_add_executor_job(leave)
    await hass.config_entries.async_remove(new_entry.entry_id)
    assert names(cache) == []


@pytest.mark.usefixtures("gateway_media")
async def test_the_diagnostics_count_without_names(
    hass: HomeAssistant,
    conversation: Conversation,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
) -> None:
    show(gateway, "/ws/my_pic.png", "/etc/passwd", "https://e.example/a", "data:x")
    await conversation.say("Show me.")
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["media"] == {
        "files": 1,
        "bytes": len(PICTURE),
        "bytes_of_all_entries": len(PICTURE),
        "outcomes": {"ok": 1, "not_found": 1, "link": 1, "unsupported": 1},
    }
    hass.data.pop(MEDIA_CACHE)
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["media"] is None


@pytest.mark.usefixtures("gateway_media", "entry")
async def test_many_questions_at_once_stay_within_the_limit(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
) -> None:
    monkeypatch.setattr(media_cache, "MAX_CACHE_SIZE", 2 * 4096)
    show(gateway, "/ws/my_pic.png", "/ws/my_pic.png")
    await asyncio.gather(*(Conversation(hass).say("Show me.") for _ in range(3)))
    assert kept(hass).size == 2 * len(PICTURE)
    assert sorted(kept(hass).known) == names(cache)


@pytest.mark.parametrize("removed", [True, False])
async def test_a_file_of_a_cancelled_question_is_not_forgotten(
    hass: HomeAssistant, entry: ClawdConfigEntry, cache: Path, *, removed: bool
) -> None:
    media = Downloaded("image/png", PICTURE)
    adding = kept(hass).async_add(entry.entry_id, None, "a.png", media)
    task = asyncio.create_task(adding)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await hass.async_block_till_done()
    assert names(cache) == [*kept(hass).known] != []
    if removed:
        await hass.config_entries.async_remove(entry.entry_id)
        with pytest.raises(MediaNotKeptError):
            await kept(hass).async_add(entry.entry_id, None, "a.png", media)
        assert names(cache) == []


@pytest.fixture
async def drawing(
    conversation: Conversation, gateway: GatewaySimulator
) -> AsyncGenerator[asyncio.Task[ConversationResult]]:
    """Let the agent call its image tool, which works on after the reply."""
    gateway.images.image = PICTURE
    gateway.images.status = "running"
    gateway.script_once(Pause(), Reply("On it."))
    task = asyncio.create_task(conversation.say("Draw a cat."))
    await gateway.wait_paused()
    [run] = gateway.runs.active()
    params = {"args": {"prompt": "a cat"}, "sessionKey": run.session.key}
    make_image(gateway, params)
    yield task
    task.cancel()
    await asyncio.wait([task])


async def finish(gateway: GatewaySimulator, status: str) -> None:
    """End the task of the image tool."""
    gateway.images.status = status
    [task] = gateway.images.tasks.values()
    gateway.spawn(finish_image(gateway, task, "a cat"))


async def test_a_picture_that_is_made_meanwhile_is_waited_for(
    drawing: asyncio.Task[ConversationResult],
    entry: ClawdConfigEntry,
    conversation: Conversation,
    gateway: GatewaySimulator,
    cache: Path,
) -> None:
    gateway.proceed()
    while "".join(conversation.deltas) != "On it.":
        await conversation.delta_received.wait()
        conversation.delta_received.clear()
    await wait_processed(entry)
    assert not drawing.done()
    await finish(gateway, "completed")
    reply = speech(await drawing)
    assert re.fullmatch(r"On it\.\n\n!\[image-1.png\]\(/api/clawd/media/\S+\)", reply)
    assert len(names(cache)) == 1
    assert "task" not in entry.runtime_data.client.introspection.listeners


@pytest.mark.parametrize("status", ["failed", "cancelled"])
async def test_a_picture_that_is_not_made_ends_the_wait(
    drawing: asyncio.Task[ConversationResult], gateway: GatewaySimulator, status: str
) -> None:
    gateway.proceed()
    await finish(gateway, status)
    assert speech(await drawing) == "On it."


async def test_a_picture_that_takes_too_long_is_not_waited_for(
    drawing: asyncio.Task[ConversationResult],
    entry: ClawdConfigEntry,
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shown_media, "IMAGE_TIMEOUT", 0.0)
    gateway.proceed()
    assert speech(await drawing) == "On it."
    assert kept(hass).outcomes[entry.entry_id] == {"not_made": 1}


async def test_a_picture_whose_ticket_is_refused_is_told(
    drawing: asyncio.Task[ConversationResult], gateway: GatewaySimulator
) -> None:
    gateway.images.ticket = "another"
    gateway.proceed()
    await finish(gateway, "completed")
    reply = speech(await drawing)
    assert "*image-1.png cannot be shown: the Gateway, or a proxy" in reply
    assert len(gateway.received("artifacts.download")) == 2


async def test_an_earlier_picture_of_the_session_is_not_shown_again(
    drawing: asyncio.Task[ConversationResult], gateway: GatewaySimulator
) -> None:
    [task] = gateway.images.tasks.values()
    old = {"id": "old", "mimeType": "image/png", "title": "old.png", "runId": "x"}
    gateway.images.artifacts[task["sessionKey"]] = [old]
    gateway.proceed()
    await finish(gateway, "completed")
    assert speech(await drawing).count("![") == 1
