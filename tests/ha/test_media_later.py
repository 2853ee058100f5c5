"""Media of unsolicited replies."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
import re
from typing import Any, Final

from homeassistant.components.conversation import ConversationResult
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.clawd.assist import media as shown_media
from custom_components.clawd.assist.ongoing import get_ongoing
from tests.simulator import GatewaySimulator, Media, Pause, Reply
from tests.simulator.images import make_image

from .assist_client import Conversation, speech, wait_processed
from .handoff_scenario import ANSWER, SENTENCE, Patience, wait_handoffs
from .test_media import (
    PATH,
    PICTURE,
    cache,
    drawing,
    fetch,
    finish,
    gateway_media,
    kept,
    token_of,
    user_of,
)
from .test_unsolicited import Home, home, silent, voice_setup

__all__ = [
    "cache",
    "drawing",
    "gateway_media",
    "home",
    "silent",
    "voice_setup",
]

PICTURE_LINK: Final = r"!\[my\\_pic.png\]\(/api/clawd/media/\S+\)"
IN_CHAT: Final = "It includes a picture or a file. Ask for it in a chat."
ONLY: Final = "My answer is a picture or a file. I can show it in a chat."
SHOWN: Final = Media(("/ws/my_pic.png",))
SHARED: Final = {"session_scope": "shared"}

in_one_session = pytest.mark.parametrize("agent_settings", [SHARED])


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Hand off long answers; let each device have a session."""
    return {"handoff_after": 20, "session_scope": "device"}


async def hand_off(home: Home, patience: Patience, **more: str) -> None:
    """Hand off a question and await its end."""
    said = await patience.ask(home.conversation, home.device, **more)
    assert said == SENTENCE
    home.gateway.proceed()
    await wait_handoffs(home.entry)


@pytest.mark.usefixtures("gateway_media")
async def test_a_picture_of_a_long_answer_is_in_a_notification(
    hass: HomeAssistant,
    home: Home,
    patience: Patience,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    home.gateway.script(Pause(), Reply(ANSWER), SHOWN)
    await hand_off(home, patience)

    assert home.kitchen.said == [ANSWER]
    [shown] = home.notifications
    assert re.fullmatch(f"{ANSWER}\n\n{PICTURE_LINK}", shown)
    [path] = PATH.findall(shown)
    browser = await hass_client_no_auth()
    status, body, _ = await fetch(browser, path)
    assert (status, body.encode("latin-1")) == (HTTPStatus.OK, PICTURE)
    # Nobody in particular has asked: who has the link may open it, as a phone's app
    # does by the login of its user.
    bare = path.partition("?")[0]
    assert (await fetch(browser, bare))[0] == HTTPStatus.FORBIDDEN
    stranger = await hass_client(await token_of(hass, await user_of(hass, "Ben")))
    assert (await fetch(stranger, bare))[0] == HTTPStatus.OK


@pytest.mark.usefixtures("gateway_media")
async def test_a_link_in_a_notification_expires(
    home: Home,
    patience: Patience,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shown_media, "LINK_EXPIRATION", timedelta(days=9))
    monkeypatch.setattr(shown_media, "NOTIFICATION_EXPIRATION", timedelta(seconds=-1))
    home.gateway.script(Pause(), Reply(ANSWER), SHOWN)
    await hand_off(home, patience)
    [path] = PATH.findall(home.notifications[0])
    status, *_ = await fetch(await hass_client_no_auth(), path)
    assert status == HTTPStatus.FORBIDDEN


@pytest.mark.usefixtures("gateway_media")
async def test_a_long_answer_of_nothing_but_a_picture_is_told(
    home: Home, patience: Patience
) -> None:
    home.gateway.script(Pause(), SHOWN)
    await hand_off(home, patience)
    assert home.kitchen.said == [ONLY]
    [shown] = home.notifications
    assert re.fullmatch(f"{ONLY}\n\n{PICTURE_LINK}", shown)


@pytest.mark.usefixtures("gateway_media")
async def test_a_picture_for_a_user_is_in_no_notification_that_others_read(
    hass: HomeAssistant, home: Home, patience: Patience
) -> None:
    anna = await user_of(hass, "Anna")
    home.gateway.script(Pause(), Reply(ANSWER), SHOWN)
    await hand_off(home, patience, user=anna.id)
    assert home.notifications == [f"{ANSWER}\n\n{IN_CHAT}"]
    assert not kept(hass).known


async def test_an_answer_in_words_is_in_no_notification(
    home: Home, patience: Patience
) -> None:
    home.gateway.script(Pause(), Reply(ANSWER))
    await hand_off(home, patience)
    assert home.delivered == ([ANSWER], [])


async def make(home: Home, key: str) -> None:
    """Let the image tool make a picture, and the agent tell of it."""
    home.gateway.images.image = PICTURE
    make_image(home.gateway, {"args": {"prompt": "a cat"}, "sessionKey": key})
    [task] = home.gateway.images.tasks.values()
    await home.gateway.wait_until(lambda: task["status"] == "completed")
    await home.wait_delivered()


async def test_a_picture_that_was_made_later_is_told_and_shown(home: Home) -> None:
    await make(home, await home.ask())
    assert home.kitchen.said == ["Here it is."]
    [shown] = home.notifications
    assert re.fullmatch(
        r"Here it is\.\n\n!\[image-1.png\]\(/api/clawd/media/\S+\)", shown
    )


async def test_a_picture_that_was_made_later_for_a_user_stays_private(
    hass: HomeAssistant, home: Home
) -> None:
    await make(home, await home.ask(user=(await user_of(hass, "Anna")).id))
    assert home.delivered == ([], [f"Here it is.\n\n{IN_CHAT}"])
    assert not kept(hass).known


@pytest.mark.usefixtures("gateway_media")
async def test_a_later_message_of_nothing_but_a_picture_is_told(
    hass: HomeAssistant, home: Home
) -> None:
    key, run_id = await home.ask(), "image_generate:39254929-b189:ok:agent-loop"
    run = home.gateway.run("?", SHOWN, session_key=key, run_id=run_id)
    await run.done.wait()
    await home.wait_delivered()
    assert home.kitchen.said == [ONLY]
    [shown] = home.notifications
    assert re.fullmatch(f"{ONLY}\n\n{PICTURE_LINK}", shown)
    # The Gateway does not know the task any more.
    assert kept(hass).outcomes[home.entry.entry_id] == {"ok": 1, "not_made": 1}


async def wait_for_text(conversation: Conversation, entry: MockConfigEntry) -> None:
    """Wait until a chat has the text, and waits for the picture."""
    while "".join(conversation.deltas) != "On it.":
        await conversation.delta_received.wait()
        conversation.delta_received.clear()
    await wait_processed(entry)


@in_one_session
async def test_a_chat_that_waits_for_a_picture_leaves_its_session_free(
    home: Home,
    drawing: asyncio.Task[ConversationResult],
    gateway: GatewaySimulator,
    hass: HomeAssistant,
) -> None:
    gateway.proceed()
    await wait_for_text(home.conversation, home.entry)
    gateway.script_once(Pause(), Reply("It is on."))
    second = asyncio.create_task(Conversation(hass).say("And the light?"))
    await gateway.wait_paused()
    [task] = gateway.images.tasks.values()
    gateway.broadcast("task", {"action": "upserted", "task": dict(task)})
    gateway.proceed()
    # It does not wait for the picture of the other chat.
    assert speech(await second) == "It is on."
    assert not drawing.done()

    await finish(gateway, "completed")
    assert speech(await drawing).count("![") == 1
    first_session, second_session = (
        request.params["sessionKey"] for request in gateway.received("agent")
    )
    assert first_session == second_session
    await home.wait_delivered()
    assert home.delivered == ([], [])


async def test_a_picture_that_comes_before_the_reply_is_not_told_again(
    home: Home, drawing: asyncio.Task[ConversationResult], gateway: GatewaySimulator
) -> None:
    await finish(gateway, "completed")
    gateway.proceed()
    assert speech(await drawing).count("![") == 1
    await home.wait_delivered()
    assert home.delivered == ([], [])


async def test_a_picture_that_a_chat_gave_up_is_told(
    home: Home,
    drawing: asyncio.Task[ConversationResult],
    gateway: GatewaySimulator,
) -> None:
    gateway.proceed()
    await wait_for_text(home.conversation, home.entry)
    drawing.cancel()
    await asyncio.wait([drawing])
    assert get_ongoing(home.entry).all == ()

    await finish(gateway, "completed")
    [task] = gateway.images.tasks.values()
    await gateway.wait_until(lambda: task["status"] == "completed")
    await home.wait_delivered()
    [shown] = home.notifications
    assert shown.startswith("Here it is.\n\n![image-1.png]")
