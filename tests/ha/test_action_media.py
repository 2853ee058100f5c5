"""Pictures and files of a reply in the responses of actions."""

import asyncio
from http import HTTPStatus
from pathlib import Path
import re
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.clawd.assist import throwaway
from custom_components.clawd.const import DOMAIN
from custom_components.clawd.coordinator import ClawdConfigEntry
from tests.simulator import GatewaySimulator, Media, Pause, Reply
from tests.simulator.images import finish_image, make_image

from .ai_tasks import cleaned_up
from .assist_client import wait_processed
from .states import AGENT

type Browser = TestClient[Any, Any]

PICTURE = b"\x89PNG\r\n"
SIGNED = re.compile(r"/api/clawd/media/[\w-]+\?authSig=\S+")
ASK = {"agent": AGENT, "text": "Show me."}


@pytest.fixture(autouse=True)
def _folder(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        hass.config, "cache_path", lambda *path: str(tmp_path.joinpath(*path))
    )
    monkeypatch.setattr(throwaway, "DELAYS", (0.0, 0.0, 0.0))


@pytest.fixture(autouse=True)
def _files(gateway: GatewaySimulator) -> None:
    gateway.http.files["/ws/my_pic.png"] = ("image/png", PICTURE)


def show(gateway: GatewaySimulator, *references: str, text: str = "Here.") -> None:
    """Let the agent show something."""
    gateway.script(*([Reply(text)] if text else []), Media(references))


async def ask(hass: HomeAssistant, context: Context | None = None, **more: Any) -> Any:  # noqa: ANN401 - a response
    """Ask the agent; return the response."""
    return await hass.services.async_call(
        DOMAIN, "ask", ASK | more, blocking=True, return_response=True, context=context
    )


async def fetch(client: Browser, path: str) -> tuple[int, bytes]:
    """Return status and body of an answer."""
    response = await client.get(path)
    return response.status, await response.read()


async def user_of(hass: HomeAssistant, name: str) -> User:
    """Return a user without admin rights."""
    group = await hass.auth.async_get_group(GROUP_ID_USER)
    assert group
    return MockUser(name=name, groups=[group]).add_to_hass(hass)


async def token_of(hass: HomeAssistant, user: User) -> str:
    """Return the access token of a user."""
    token = await hass.auth.async_create_refresh_token(user, "https://app.example")
    return hass.auth.async_create_access_token(token)


async def test_what_a_reply_shows_is_in_the_response(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    show(gateway, "/ws/my_pic.png", "https://e.example/x/a.png?b=c", "/etc/passwd")

    answer = await ask(hass)

    picture, elsewhere = answer["media"]
    assert (picture["name"], picture["mime_type"]) == ("my_pic.png", "image/png")
    assert SIGNED.fullmatch(picture["url"])
    assert elsewhere == {
        "name": "e.example/a.png",
        "mime_type": None,
        "url": "https://e.example/x/a.png?b=c",
    }
    [error] = answer["media_errors"]
    assert error.startswith("passwd cannot be shown: it no longer exists")
    assert answer["text"] == "Here."
    browser = await hass_client_no_auth()
    assert await fetch(browser, picture["url"]) == (HTTPStatus.OK, PICTURE)
    # The session that had made it is gone.
    await cleaned_up(entry)
    assert gateway.runs.sessions == {}
    assert gateway.token not in str(answer)


@pytest.mark.usefixtures("entry")
async def test_an_answer_may_be_nothing_but_a_picture(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    show(gateway, "/ws/my_pic.png", text="")
    answer = await ask(hass)
    assert answer["text"] == ""
    assert len(answer["media"]) == 1


@pytest.mark.usefixtures("entry")
async def test_an_answer_without_media_has_empty_lists(hass: HomeAssistant) -> None:
    answer = await ask(hass)
    assert (answer["media"], answer["media_errors"]) == ([], [])


@pytest.mark.usefixtures("entry")
async def test_a_link_is_for_the_user_who_has_called_the_action(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    anna, ben = await user_of(hass, "Anna"), await user_of(hass, "Ben")
    show(gateway, "/ws/my_pic.png")
    token = await token_of(hass, anna)
    socket = await hass_ws_client(hass, token)
    call = {"domain": DOMAIN, "service": "ask", "service_data": ASK}
    await socket.send_json_auto_id(
        {"type": "call_service", "return_response": True, **call}
    )
    answer = await socket.receive_json()
    await socket.close()
    [media] = answer["result"]["response"]["media"]

    browser = await hass_client_no_auth()
    bare = media["url"].partition("?")[0]
    assert await fetch(browser, media["url"]) == (HTTPStatus.OK, PICTURE)
    another = await hass_client(await token_of(hass, ben))
    assert (await fetch(another, bare))[0] == HTTPStatus.FORBIDDEN
    assert (await fetch(await hass_client(), bare))[0] == HTTPStatus.OK
    # It ends with the login of its user.
    login = hass.auth.async_validate_access_token(token)
    assert login
    hass.auth.async_remove_refresh_token(login)
    assert (await fetch(browser, media["url"]))[0] == HTTPStatus.FORBIDDEN


@pytest.mark.usefixtures("entry")
async def test_the_link_of_an_automation_needs_nobodys_login(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Also where somebody's browser has caused it."""
    anna = await user_of(hass, "Anna")
    anna.mock_policy({"entities": True})  # type: ignore[attr-defined]
    show(gateway, "/ws/my_pic.png")
    answers: list[Any] = []

    async def automate(call: Any) -> None:  # noqa: ANN401 - a call
        context = Context(parent_id=call.context.id, user_id=call.context.user_id)
        answers.append(await ask(hass, context))

    hass.services.async_register("test", "automate", automate)
    token = await token_of(hass, anna)
    socket = await hass_ws_client(hass, token)
    await socket.send_json_auto_id(
        {"type": "call_service", "domain": "test", "service": "automate"}
    )
    await socket.receive_json()
    await socket.close()

    [media] = answers[0]["media"]
    login = hass.auth.async_validate_access_token(token)
    assert login
    hass.auth.async_remove_refresh_token(login)
    browser = await hass_client_no_auth()
    assert await fetch(browser, media["url"]) == (HTTPStatus.OK, PICTURE)
    # As the app of a phone, which has been notified.
    ben = await user_of(hass, "Ben")
    phone = await hass_client(await token_of(hass, ben))
    assert await fetch(phone, media["url"]) == (HTTPStatus.OK, PICTURE)


async def test_the_event_at_the_end_of_a_task_has_its_media(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    events = async_capture_events(hass, "clawd_task_finished")
    show(gateway, "/ws/my_pic.png")
    await hass.services.async_call(DOMAIN, "start_task", ASK, blocking=True)
    await cleaned_up(entry)
    [media] = events[0].data["media"]
    assert events[0].data["media_errors"] == []
    browser = await hass_client_no_auth()
    assert await fetch(browser, media["url"]) == (HTTPStatus.OK, PICTURE)


async def test_only_the_media_of_the_accepted_answer_are_told(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script_once(Reply("Two."), Media(("/ws/wrong.png",)))
    gateway.script(Reply('{"people": 2}'), Media(("/ws/my_pic.png",)))
    structure: dict[str, Any] = {"people": {"selector": {"number": {}}}}
    answer = await ask(hass, structure=structure)
    assert answer["data"] == {"people": 2}
    assert [media["name"] for media in answer["media"]] == ["my_pic.png"]
    assert len(gateway.http.requests) == 1
    await cleaned_up(entry)


async def test_a_picture_that_is_made_meanwhile_is_waited_for(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.images.image = PICTURE
    gateway.images.status = "running"
    gateway.script_once(Pause(), Reply("On it."))
    asking = asyncio.create_task(ask(hass))
    await gateway.wait_paused()
    [run] = gateway.runs.active()
    make_image(gateway, {"args": {"prompt": "a"}, "sessionKey": run.session.key})
    await wait_processed(entry)
    gateway.proceed()
    gateway.images.status = "completed"
    [task] = gateway.images.tasks.values()
    gateway.spawn(finish_image(gateway, task, "a cat"))

    answer = await asking

    assert (answer["text"], answer["media_errors"]) == ("On it.", [])
    [media] = answer["media"]
    assert (media["name"], media["mime_type"]) == ("image-1.png", "image/png")
    await cleaned_up(entry)
    assert gateway.runs.sessions == {}
    assert "task" not in entry.runtime_data.client.introspection.listeners


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_hands_out_links_only(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    show(gateway, "/ws/my_pic.png", "https://e.example/b.png")
    answer = await ask(hass)
    assert [media["url"] for media in answer["media"]] == ["https://e.example/b.png"]
    [error] = answer["media_errors"]
    assert error.startswith("my_pic.png cannot be shown: Clawdbot does not hand out")
