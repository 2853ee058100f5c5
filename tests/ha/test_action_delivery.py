"""Answers that an action delivers to a channel."""

from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.coordinator import ClawdConfigEntry
from tests.simulator import Agent, GatewaySimulator, Reply

from .ai_tasks import cleaned_up, file
from .states import AGENT

pytestmark = pytest.mark.usefixtures("no_deletion_delays")

STRUCTURE = {"people": {"required": True, "selector": {"number": {}}}}
RIGHT = '{"people": 2}'
ROUTE = {"channel": "telegram", "target": "42"}


async def ask(hass: HomeAssistant, *, response: bool = True, **data: Any) -> Any:  # noqa: ANN401
    """Ask the agent, which delivers its answer."""
    fields = {"agent": AGENT, "text": "Count.", **ROUTE, **data}
    return await hass.services.async_call(
        DOMAIN, "ask", fields, blocking=True, return_response=response
    )


def sent(gateway: GatewaySimulator) -> list[dict[str, Any]]:
    """Return the messages that were sent, without their keys and agent."""
    keys = {"idempotencyKey", "agentId"}
    return [
        {name: value for name, value in request.params.items() if name not in keys}
        for request in gateway.received("send")
    ]


@pytest.mark.parametrize("protocol", [3, 4])
async def test_only_the_accepted_answer_is_delivered(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script_once(Reply("Two people."))
    gateway.script(Reply(RIGHT))

    answer = await ask(hass, structure=STRUCTURE)

    assert (answer["data"], answer["delivery"]) == ({"people": 2}, "sent")
    runs = gateway.received("agent")
    assert len(runs) == 2
    assert not any("deliver" in run.params for run in runs)
    assert sent(gateway) == [{"to": "42", "channel": "telegram", "message": RIGHT}]
    [message] = gateway.received("send")
    assert message.params.get("agentId") == (None if gateway.protocol == 3 else "main")
    await cleaned_up(entry)


@pytest.mark.usefixtures("entry")
async def test_no_answer_of_another_structure_is_delivered(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Two people."))
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, structure=STRUCTURE)
    assert error.value.translation_key == "answer_no_json"
    assert sent(gateway) == []


@pytest.mark.usefixtures("entry")
async def test_an_answer_to_a_file_is_delivered(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path
) -> None:
    note = await file(hass, tmp_path, "note.txt", b"The milk is out.")
    gateway.script(Reply("<think>Hm.</think>Buy milk."))
    answer = await ask(hass, attachments=note)
    assert (answer["text"], answer["delivery"]) == ("Buy milk.", "sent")
    assert "deliver" not in gateway.received("chat.send")[0].params
    message = {"to": "42", "channel": "telegram", "message": "Buy milk."}
    assert sent(gateway) == [message]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("wrong", [{"channel": "smoke"}, {"target": "nobody"}])
@pytest.mark.parametrize("protocol", [3, 4])
async def test_an_answer_that_cannot_be_delivered_is_not_lost(
    hass: HomeAssistant, gateway: GatewaySimulator, wrong: dict[str, Any]
) -> None:
    gateway.script(Reply(RIGHT))
    answer = await ask(hass, structure=STRUCTURE, **wrong)
    assert (answer["data"], answer["delivery"]) == ({"people": 2}, "failed")
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, response=False, structure=STRUCTURE, **wrong)
    assert error.value.translation_key == "delivery_failed"


@pytest.mark.usefixtures("entry")
async def test_an_unknown_channel_is_named(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, channel="carrier-pigeon")
    assert error.value.translation_key == "delivery_refused"
    assert error.value.translation_placeholders == {"code": "INVALID_REQUEST"}
    assert sent(gateway) == []


@pytest.mark.usefixtures("entry")
async def test_a_deleted_agent_is_named_before_the_channel(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.agents = (Agent("other"),)
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, channel="carrier-pigeon")
    assert error.value.translation_key == "agent_deleted"


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("status", "told"),
    [("partial_failed", "failed"), ("suppressed", "suppressed"), (5, None)],
)
async def test_a_part_of_an_answer_is_not_enough(
    hass: HomeAssistant, gateway: GatewaySimulator, status: object, told: str | None
) -> None:
    def change(payload: dict[str, Any]) -> None:
        payload["result"]["deliveryStatus"]["status"] = status

    gateway.edit("agent", change)
    answer = await ask(hass)
    assert answer["text"]
    assert answer["delivery"] == told
    if told != "failed":
        await ask(hass, response=False)
        return
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, response=False)
    assert error.value.translation_key == "delivery_failed"
