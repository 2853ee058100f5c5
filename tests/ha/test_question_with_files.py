"""Settings of questions with files, which go another way to the agent."""

from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator, Reply

from .ai_tasks import file
from .states import AGENT

KITCHEN = {"agent": "kitchen"}

pytestmark = pytest.mark.usefixtures("entry")


@pytest.fixture(autouse=True)
def _media(hass: HomeAssistant, tmp_path: Path) -> None:
    hass.config.media_dirs = {"local": str(tmp_path)}


@pytest.mark.parametrize(
    ("agent_settings", "field"),
    [
        (KITCHEN | {"thinking": "low"}, {}),
        (KITCHEN | {"thinking": "low"}, {"thinking": "high"}),
        (KITCHEN, {}),
    ],
)
async def test_the_agent_thinks_as_long_about_a_file(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    tmp_path: Path,
    agent_settings: dict[str, str],
    field: dict[str, str],
) -> None:
    note = await file(hass, tmp_path, "note.txt", b"The milk is out.")
    gateway.script(Reply("Buy some."))
    data = {"agent": AGENT, "text": "What to do?", "attachments": [note], **field}
    await hass.services.async_call(
        DOMAIN, "ask", data, blocking=True, return_response=True
    )
    [request] = gateway.received("chat.send")
    wanted = {**agent_settings, **field}.get("thinking")
    assert request.params.get("thinking") == wanted


@pytest.mark.parametrize("field", [{}, {"thinking": "high"}])
@pytest.mark.parametrize("agent_settings", [{"thinking": "low"}])
async def test_a_level_that_the_model_lacks_is_told(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    tmp_path: Path,
    field: dict[str, str],
) -> None:
    # OpenClaw says so in place of the agent, in its reply.
    note = await file(hass, tmp_path, "note.txt", b"The milk is out.")
    data = {"agent": AGENT, "text": "Hi", "attachments": [note], **field}
    with pytest.raises(HomeAssistantError) as error:
        await hass.services.async_call(
            DOMAIN, "ask", data, blocking=True, return_response=True
        )
    assert error.value.translation_key == "thinking_unsupported"
    assert not gateway.received("chat.send")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("/elevated full", "\u2060/elevated full"),
        ("Is it\n/model: a?", "Is it\n\u2060/model: a?"),
        ("Say /gpt-5.4", "Say \u2060/gpt-5.4"),
        ("x \ufeff/think\ufeffhigh", "x \ufeff\u2060/think\ufeffhigh"),
        ("Read /etc/hosts, and/or https://a.b/c 1/2 / 3", None),
    ],
)
async def test_a_text_beside_a_file_is_no_command(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    tmp_path: Path,
    text: str,
    sent: str | None,
) -> None:
    note = await file(hass, tmp_path, "note.txt", b"The milk is out.")
    gateway.script(Reply("Buy some."))
    data = {"agent": AGENT, "text": text, "attachments": [note]}
    await hass.services.async_call(
        DOMAIN, "ask", data, blocking=True, return_response=True
    )
    [request] = gateway.received("chat.send")
    assert request.params["message"].endswith(f"\n\n{sent or text}")


@pytest.mark.parametrize("name", ["note.txt", "photo.png"])
async def test_an_empty_file_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path, name: str
) -> None:
    full = await file(hass, tmp_path, "full.txt", b"The milk is out.")
    empty = await file(hass, tmp_path, name, b"")
    data = {"agent": AGENT, "text": "Hi", "attachments": [full, empty]}
    with pytest.raises(HomeAssistantError) as error:
        await hass.services.async_call(
            DOMAIN, "ask", data, blocking=True, return_response=True
        )
    assert error.value.translation_key == "attachment_empty"
    assert error.value.translation_placeholders == {"number": "2"}
    assert not gateway.received("chat.send")


async def test_a_text_without_a_file_stays_as_it_is(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("It chooses a model."))
    data = {"agent": AGENT, "text": "What is /model for?"}
    await hass.services.async_call(
        DOMAIN, "ask", data, blocking=True, return_response=True
    )
    [request] = gateway.received("agent")
    assert request.params["message"] == "What is /model for?"
