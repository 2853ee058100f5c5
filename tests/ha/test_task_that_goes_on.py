"""Cancelled tasks of which something may go on."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.clawd.assist import ongoing_run
from custom_components.clawd.coordinator import ClawdConfigEntry
from tests.simulator import GatewaySimulator, Pause, Reply

from .action_calls import call
from .ai_tasks import cleaned_up
from .assist_client import wait_processed
from .states import AGENT, CONNECTIVITY, wait_for_state

pytestmark = pytest.mark.usefixtures("no_deletion_delays")


async def start(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> str:
    """Start a task whose run pauses; return its id."""
    gateway.script(Reply("One "), Pause(), Reply("two."))
    started = await call(hass, "start_task", agent=AGENT, text="Look it up.")
    await gateway.wait_paused()
    await wait_processed(entry)
    return str(started["task_id"])


@pytest.mark.parametrize(
    ("protocol", "refused", "key"),
    [
        (3, "", None),
        (3, "chat.send", "stop_unconfirmed"),
        (4, "", None),
        (4, "chat.abort", "stop_unconfirmed"),
        (4, "tasks.list", "stop_sub_agents_unknown"),
    ],
)
async def test_what_is_not_stopped_is_told(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    refused: str,
    key: str | None,
) -> None:
    ends = async_capture_events(hass, "clawd_task_finished")
    task_id = await start(hass, entry, gateway)
    if refused:
        gateway.refuse_method(refused)

    if key is None:
        response = await call(hass, "cancel_task", task_id=task_id)
        assert response == {"task_id": task_id}
    else:
        with pytest.raises(HomeAssistantError) as error:
            await call(hass, "cancel_task", task_id=task_id)
        assert error.value.translation_key == key

    assert [end.data["status"] for end in ends] == ["cancelled"]
    gateway.proceed()
    await cleaned_up(entry)


async def test_a_run_of_a_lost_connection_may_go_on(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    task_id = await start(hass, entry, gateway)
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, "cancel_task", task_id=task_id)
    assert error.value.translation_key == "stop_unconfirmed"
    gateway.proceed()


async def test_a_background_task_that_goes_on_is_told(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.images.image = b"picture"
    gateway.images.status = "running"
    task_id = await start(hass, entry, gateway)
    [key] = gateway.runs.sessions
    client = entry.runtime_data.client
    await client.tools.invoke("image_generate", {"prompt": "a cat"}, key)
    gateway.refuse_method("tasks.cancel")
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, "cancel_task", task_id=task_id)
    assert error.value.translation_key == "stop_sub_agents"
    gateway.proceed()
    await cleaned_up(entry)


async def test_a_gateway_that_does_not_answer_is_not_waited_for(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ongoing_run, "STOP_TIMEOUT", 0.02)
    task_id = await start(hass, entry, gateway)
    gateway.hold("chat.abort")
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, "cancel_task", task_id=task_id)
    assert error.value.translation_key == "stop_unconfirmed"
    gateway.release("chat.abort")
    gateway.proceed()
    await cleaned_up(entry)
