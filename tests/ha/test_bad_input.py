"""Errors of useless pictures, files and replies."""

from io import BytesIO
from pathlib import Path
import threading
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from PIL import Image
import pytest

from custom_components.clawd.assist import attachments, generation
from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator, Refuse, Reply

from .ai_tasks import RIGHT, STRUCTURE, file, generate, media, more_subentries, settings
from .pictures import add_camera, picture
from .states import AGENT

__all__ = ["more_subentries", "settings"]


def large_picture() -> bytes:
    """Return a picture of 40 MB."""
    stream = BytesIO()
    Image.new("RGB", (4000, 3400)).save(stream, "BMP")
    return stream.getvalue()


async def ask(hass: HomeAssistant, **data: object) -> Any:  # noqa: ANN401 - any response
    """Ask the agent."""
    question = {"agent": AGENT, "text": "Hello", **data}
    return await hass.services.async_call(
        DOMAIN, "ask", question, blocking=True, return_response=True
    )


def key_of(error: pytest.ExceptionInfo[HomeAssistantError]) -> str | None:
    """Return the key of an error's text, which says something."""
    assert str(error.value) not in {"", error.value.translation_key}
    return error.value.translation_key


@pytest.mark.usefixtures("entry")
async def test_a_picture_of_40_mb_is_scaled(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path
) -> None:
    content = large_picture()
    assert len(content) > 40_000_000
    media_id = await file(hass, tmp_path, "a.bmp", content)
    await ask(hass, attachments={"media_content_id": media_id})
    door = await add_camera(hass, content)
    await ask(hass, attachments=[door])
    for request in gateway.received("agent"):
        [sent] = request.params["attachments"]
        assert sent["mimeType"] == "image/jpeg"
        assert len(sent["content"]) < 1_000_000


@pytest.mark.usefixtures("entry")
async def test_20_pictures_are_shown_in_one_question(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    door = await add_camera(hass, picture(900, 600))
    await ask(hass, attachments=[door] * 20)
    [request] = gateway.received("agent")
    sent = [len(one["content"]) for one in request.params["attachments"]]
    assert len(sent) == 20
    assert sum(sent) < gateway.max_payload * 0.7


@pytest.mark.usefixtures("entry")
async def test_more_is_not_read_than_home_assistant_can_hold(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = picture(100, 100)
    monkeypatch.setattr(attachments, "MAX_FILE_SIZE", 3 * len(content) - 1)
    door = await add_camera(hass, content)
    media_id = await file(hass, tmp_path, "a.jpg", content)
    one = {"media_content_id": media_id, "media_content_type": "image/jpeg"}
    for function, given in (
        (ask, [door, door, door]),
        (ask, [door, media_id, media_id]),
        (generate, [one, one, one]),
    ):
        with pytest.raises(HomeAssistantError) as error:
            await function(hass, attachments=given)
        assert key_of(error) == "attachment_too_large"
        assert error.value.translation_placeholders
        assert error.value.translation_placeholders["number"] == "3"
    assert gateway.received("agent") == []


@pytest.mark.usefixtures("entry")
async def test_a_camera_of_an_ai_task_that_is_off_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    door = await add_camera(hass, is_on=False)
    # By Home Assistant, which takes the picture.
    with pytest.raises(HomeAssistantError, match="Camera is off"):
        await generate(hass, attachments=media(door))
    assert gateway.received("agent") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("agent_settings", [{"agent": "kitchen"}])
async def test_a_model_that_reads_texts_only_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    door = await add_camera(hass)
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, attachments=[door])
    assert key_of(error) == "model_without_sight"
    assert gateway.received("agent") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("agent_settings", [{"agent": "kitchen"}])
async def test_a_pdf_for_a_model_that_reads_texts_only_is_read_by_openclaw(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path
) -> None:
    media_id = await file(hass, tmp_path, "a.pdf", b"%PDF-1.4")
    await ask(hass, attachments=media_id)
    [request] = gateway.received("chat.send")
    assert request.params["attachments"][0]["mimeType"] == "application/pdf"


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3])
async def test_a_pdf_that_clawdbot_would_drop_is_refused(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path
) -> None:
    media_id = await file(hass, tmp_path, "a.pdf", b"%PDF-1.4")
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, attachments=media_id)
    assert key_of(error) == "files_unsupported"
    assert gateway.received("agent") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    "half", ['Here it is: {"people": 2', "Here it is: {", "} or {", "```json\n{```"]
)
async def test_half_json_behind_words_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator, half: str
) -> None:
    gateway.script(Reply(half))
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, structure=STRUCTURE)
    assert key_of(error) == "answer_no_json"
    assert len(gateway.received("agent")) == 2


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("more", [{}, {"structure": STRUCTURE}], ids=["text", "data"])
async def test_an_answer_of_2_mb_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator, more: dict[str, Any]
) -> None:
    gateway.script(Reply(chunks=("x" * 2_000_000,)))
    for function in (generate, ask):
        with pytest.raises(HomeAssistantError) as error:
            await function(hass, **more)
        assert key_of(error) == "answer_too_long"
        assert error.value.translation_placeholders == {"size": "2000000"}


@pytest.mark.usefixtures("entry")
async def test_a_long_answer_does_not_block_the_event_loop(
    hass: HomeAssistant, gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_executor: list[bool] = []
    read = generation.read_json_reply

    def note(text: str) -> str:
        in_executor.append(hass.loop_thread_id != threading.get_ident())
        return read(text)

    monkeypatch.setattr(generation, "read_json_reply", note)
    names = '"x", ' * 10_000
    long = f'{{"people": 2, "names": [{names}"y"]}}'
    gateway.script(Reply(chunks=(long,)))
    assert len((await generate(hass, structure=STRUCTURE))["names"]) == 10_001
    gateway.script(Reply(RIGHT))
    assert (await generate(hass, structure=STRUCTURE))["people"] == 2
    assert in_executor == [True, False]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("agent_settings", [{"agent": "gone"}])
async def test_an_agent_that_is_gone_is_not_asked(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass)
    assert key_of(error) == "agent_deleted"
    assert gateway.received("agent") == []


@pytest.mark.usefixtures("entry")
async def test_a_channel_that_does_not_exist_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(Refuse("unsupported channel: none"))
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, channel="none", target="42")
    assert key_of(error) == "delivery_refused"


@pytest.mark.usefixtures("entry")
async def test_a_reply_that_is_not_delivered_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    def fail(payload: dict[str, Any]) -> None:
        payload["result"]["deliveryStatus"] = {"status": "failed"}

    gateway.edit("agent", fail)
    answer = await ask(hass, channel="telegram", target="@nobody")
    assert answer["delivery"] == "failed"
    assert answer["text"]
