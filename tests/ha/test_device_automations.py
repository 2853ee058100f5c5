"""Device triggers and conditions of agents and Gateways."""

import asyncio
from collections.abc import AsyncGenerator

from homeassistant.components.device_automation import (
    DeviceAutomationType,
    InvalidDeviceAutomationConfig,
    async_get_device_automations,
)
from homeassistant.components.device_automation.trigger import (
    TRIGGER_SCHEMA,
    async_validate_trigger_config,
)
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.condition import async_validate_condition_config
from homeassistant.helpers.script import Script, async_validate_actions_config
from homeassistant.helpers.translation import async_get_translations
from homeassistant.helpers.typing import ConfigType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.device_automation.devices import async_find_device_id
from custom_components.clawd.device_automation.events import (
    EVENT_AGENT,
    EVENT_GATEWAY,
    AgentEvent,
    GatewayEvent,
)
from custom_components.clawd.device_condition import async_condition_from_config
from custom_components.clawd.flows.agent_schema import new_subentry
from custom_components.clawd.flows.ai_task import new_ai_task
from custom_components.clawd.reports import Status
from custom_components.clawd.util.drill_lock import drill_lock
from tests.simulator import AskUser, GatewaySimulator, Pause, Reply

from .ai_tasks import cleaned_up
from .asking import ROOM, approve
from .assist_client import Conversation, wait_processed
from .check_stubs import check_stub, run_stubs
from .states import AGENT, CONNECTIVITY, wait_for_state

TRIGGER, CONDITION = DeviceAutomationType.TRIGGER, DeviceAutomationType.CONDITION
OF_AGENT = ["is_working", "is_not_working", "has_question"]
OF_GATEWAY = ["is_connected", "is_not_connected"]
OF_SELF_TEST = ["self_test_passed", "self_test_failed"]


@pytest.fixture
def more_subentries() -> list[ConfigSubentryData]:
    """Add another agent and an AI task."""
    return [new_subentry("main", "other"), new_ai_task("main", "main")]


@pytest.fixture
def agent(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return the device of the agent."""
    return device(hass, entry, next(iter(entry.subentries)))


@pytest.fixture
def box(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return the device of the Gateway."""
    return device(hass, entry, entry.entry_id)


def device(hass: HomeAssistant, entry: MockConfigEntry, identifier: str) -> str:
    found = async_find_device_id(hass, entry, identifier)
    assert found
    return found


async def offered(
    hass: HomeAssistant, kind: DeviceAutomationType, device_id: str
) -> list[str]:
    """Return the types of the integration that a device offers."""
    assert await async_setup_component(hass, "device_automation", {})
    found = await async_get_device_automations(hass, kind, [device_id])
    automations = found.get(device_id, [])
    return [one["type"] for one in automations if one["domain"] == DOMAIN]


async def test_each_device_offers_its_own(
    hass: HomeAssistant, entry: MockConfigEntry, agent: str, box: str
) -> None:
    assert await offered(hass, TRIGGER, agent) == list(AgentEvent)
    assert await offered(hass, TRIGGER, box) == list(GatewayEvent)
    assert await offered(hass, CONDITION, agent) == OF_AGENT
    assert await offered(hass, CONDITION, box) == [*OF_GATEWAY, *OF_SELF_TEST]
    ai_task = device(hass, entry, [*entry.subentries][2])
    assert await offered(hass, TRIGGER, ai_task) == []
    assert await offered(hass, CONDITION, ai_task) == []


@pytest.mark.usefixtures("entry")
async def test_each_has_its_text(hass: HomeAssistant) -> None:
    texts = await async_get_translations(hass, "en", "device_automation", [DOMAIN])

    prefix = f"component.{DOMAIN}.device_automation"
    assert set(texts) == {
        *(f"{prefix}.trigger_type.{one}" for one in [*AgentEvent, *GatewayEvent]),
        *(
            f"{prefix}.condition_type.{one}"
            for one in [*OF_AGENT, *OF_GATEWAY, *OF_SELF_TEST]
        ),
    }


class Triggers:
    """Automations with device triggers."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize without automations."""
        self._hass = hass
        self.calls = async_mock_service(hass, "test", "tell")

    async def add(self, *triggers: tuple[str, str]) -> None:
        """Add automations."""
        data = {
            "type": "{{ trigger.event.data.type }}",
            "platform": "{{ trigger.platform }}",
        }
        automations = [
            {
                "alias": f"{kind} {device_id}",
                "triggers": {
                    "trigger": "device",
                    "domain": DOMAIN,
                    "device_id": device_id,
                    "type": kind,
                },
                "actions": {"action": "test.tell", "data": data},
            }
            for device_id, kind in triggers
        ]
        config = {"automation": automations}
        assert await async_setup_component(self._hass, "automation", config)
        await self._hass.async_block_till_done()
        states = self._hass.states.async_all("automation")
        assert [state.state for state in states] == ["on"] * len(triggers)

    @property
    def types(self) -> list[str]:
        """Return the types that triggered."""
        assert all(call.data["platform"] == "device" for call in self.calls)
        return [call.data["type"] for call in self.calls]


@pytest.fixture
async def triggers(hass: HomeAssistant) -> AsyncGenerator[Triggers]:
    """Return the automations; turn them off at the end."""
    yield Triggers(hass)
    every = {"entity_id": "all"}
    await hass.services.async_call("automation", "turn_off", every, blocking=True)


async def test_each_event_triggers_only_its_own(
    hass: HomeAssistant, agent: str, box: str, triggers: Triggers
) -> None:
    agents, gateways = list(AgentEvent), list(GatewayEvent)
    await triggers.add(
        *((agent, kind) for kind in agents), *((box, kind) for kind in gateways)
    )

    for kind in agents:
        for device_id in (agent, "another"):
            data = {"type": kind.value, "device_id": device_id}
            hass.bus.async_fire(EVENT_AGENT, {"subentry_id": "", **data})
    for event in gateways:
        for device_id in (box, "another"):
            data = {"type": event.value, "device_id": device_id}
            hass.bus.async_fire(EVENT_GATEWAY, data)
    await hass.async_block_till_done()

    assert triggers.types == [*agents, *gateways]


async def test_a_trigger_does_not_depend_on_entities_or_reloads(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    agent: str,
    triggers: Triggers,
) -> None:
    await triggers.add((agent, "reply"))
    registry = er.async_get(hass)
    registry.async_update_entity("event.main_activity", new_entity_id="event.x")
    registry.async_update_entity(AGENT, new_entity_id="conversation.renamed")
    disabled = er.RegistryEntryDisabler.USER
    registry.async_update_entity("event.x", disabled_by=disabled)
    dr.async_get(hass).async_update_device(agent, name_by_user="Renamed")
    assert await hass.config_entries.async_reload(entry.entry_id)
    gateway.script(Reply("Hello."))

    data = {"agent": "conversation.renamed", "text": "Hello"}
    await hass.services.async_call(DOMAIN, "ask", data, blocking=True)
    await hass.async_block_till_done()

    assert triggers.types == ["reply"]


async def test_the_end_of_the_connection_triggers(
    hass: HomeAssistant, gateway: GatewaySimulator, box: str, triggers: Triggers
) -> None:
    await triggers.add((box, "connection_lost"), (box, "connected"))

    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    assert triggers.types == ["connection_lost"]
    await gateway.resume()
    await wait_for_state(hass, CONNECTIVITY, "on")
    await hass.async_block_till_done()

    assert triggers.types == ["connection_lost", "connected"]


async def held(hass: HomeAssistant, device_id: str, kinds: list[str]) -> list[str]:
    """Return the conditions of a device that hold."""
    return [kind for kind in kinds if await holds(hass, device_id, kind)]


async def holds(hass: HomeAssistant, device_id: str, kind: str) -> bool:
    """Return whether a script goes on after a condition."""
    condition = {"condition": "device", "domain": DOMAIN, "device_id": device_id}
    steps = [{**condition, "type": kind}, {"variables": {"held": True}}]
    sequence = await async_validate_actions_config(hass, cv.SCRIPT_SCHEMA(steps))
    result = await Script(hass, sequence, "test", DOMAIN).async_run()
    assert result
    return "held" in result.variables


async def test_an_agent_is_at_work_while_it_answers(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    conversation: Conversation,
    agent: str,
) -> None:
    other = device(hass, entry, [*entry.subentries][1])
    assert await held(hass, agent, OF_AGENT) == ["is_not_working"]

    gateway.script(Pause(), Reply("Late."))
    asked = asyncio.create_task(conversation.say("Hello"))
    await gateway.wait_paused()
    assert await held(hass, agent, OF_AGENT) == ["is_working"]
    assert await held(hass, other, OF_AGENT) == ["is_not_working"]
    gateway.proceed()
    await asked

    assert await held(hass, agent, OF_AGENT) == ["is_not_working"]


async def test_an_agent_is_at_work_from_the_start_of_a_task(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator, agent: str
) -> None:
    other = device(hass, entry, [*entry.subentries][1])
    data = {"agent": AGENT, "text": "Look it up."}
    async with drill_lock(entry).drill():
        await hass.services.async_call(DOMAIN, "start_task", data, blocking=True)

        # It waits.
        assert gateway.received("agent") == []
        assert await held(hass, agent, OF_AGENT) == ["is_working"]
        assert await held(hass, other, OF_AGENT) == ["is_not_working"]
    await cleaned_up(entry)
    assert gateway.received("agent")
    assert await held(hass, agent, OF_AGENT) == ["is_not_working"]

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await held(hass, agent, OF_AGENT) == ["is_not_working"]


async def test_an_agent_is_at_work_on_a_task_that_asks(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator, agent: str
) -> None:
    hass.config_entries.async_update_entry(entry, options={"ask_questions": True})
    await hass.async_block_till_done()
    await approve(gateway, entry)
    gateway.script(AskUser([ROOM]), Reply("Done."))
    data = {"agent": AGENT, "text": "Turn it on."}
    await hass.services.async_call(DOMAIN, "start_task", data, blocking=True)
    await gateway.wait_until(lambda: bool(gateway.questions.open))
    await wait_processed(entry)
    other = device(hass, entry, [*entry.subentries][1])

    assert await held(hass, agent, OF_AGENT) == ["is_working", "has_question"]
    assert await held(hass, other, OF_AGENT) == ["is_not_working"]

    [question] = gateway.questions.open
    answer = {"question_id": question.record["id"], "answer": "Bath"}
    await hass.services.async_call(DOMAIN, "answer", answer, blocking=True)
    await cleaned_up(entry)
    assert await held(hass, agent, OF_AGENT) == ["is_not_working"]


async def test_a_gateway_is_connected_or_not(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator, box: str
) -> None:
    assert await held(hass, box, OF_GATEWAY) == ["is_connected"]

    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    assert await held(hass, box, OF_GATEWAY) == ["is_not_connected"]

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await held(hass, box, OF_GATEWAY) == ["is_not_connected"]


@pytest.mark.parametrize(
    ("status", "condition"),
    [
        (Status.PASS, "self_test_passed"),
        (Status.WARN, "self_test_passed"),
        (Status.FAIL, "self_test_failed"),
        (Status.ERROR, "self_test_failed"),
    ],
)
async def test_the_last_self_test_counts(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    box: str,
    status: Status,
    condition: str,
) -> None:
    assert await held(hass, box, OF_SELF_TEST) == []

    await run_stubs(hass, entry, check_stub(status))
    assert await held(hass, box, OF_SELF_TEST) == [condition]

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await held(hass, box, OF_SELF_TEST) == []


async def validate(
    hass: HomeAssistant, kind: DeviceAutomationType, device_id: str, name: str
) -> ConfigType:
    """Return a validated trigger or condition of a device."""
    config: ConfigType = {"domain": DOMAIN, "device_id": device_id, "type": name}
    if kind is TRIGGER:
        config = TRIGGER_SCHEMA({**config, "platform": "device"})
        return await async_validate_trigger_config(hass, config)
    config = cv.DEVICE_CONDITION_SCHEMA({**config, "condition": "device"})
    return await async_validate_condition_config(hass, config)


async def test_a_type_of_another_kind_of_device_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry, agent: str, box: str
) -> None:
    ai_task = device(hass, entry, [*entry.subentries][2])
    for kind, of_agent, of_gateway in (
        (TRIGGER, [*AgentEvent], [*GatewayEvent]),
        (CONDITION, OF_AGENT, [*OF_GATEWAY, *OF_SELF_TEST]),
    ):
        wrong = [(box, one) for one in of_agent] + [(agent, one) for one in of_gateway]
        for device_id, name in (*wrong, (ai_task, of_agent[0])):
            with pytest.raises(InvalidDeviceAutomationConfig, match=name) as error:
                await validate(hass, kind, device_id, name)
            assert error.value.translation_key == "type_not_offered"
        for device_id, name in ((box, of_gateway[0]), (agent, of_agent[0])):
            validated = await validate(hass, kind, device_id, name)
            assert validated["type"] == name


async def test_an_automation_starts_without_its_gateway(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    agent: str,
    triggers: Triggers,
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    await gateway.suspend()
    assert not await hass.config_entries.async_setup(entry.entry_id)

    await triggers.add((agent, "reply"))
    data = {"type": "reply", "device_id": agent, "subentry_id": ""}
    hass.bus.async_fire(EVENT_AGENT, data)
    await hass.async_block_till_done()

    assert triggers.types == ["reply"]
    # Of which kind the device is, nobody has seen then.
    assert await held(hass, agent, [*OF_GATEWAY, *OF_SELF_TEST]) == []


async def test_no_condition_of_a_deleted_device_holds(
    hass: HomeAssistant, entry: MockConfigEntry, agent: str
) -> None:
    config = {"condition": "device", "domain": DOMAIN, "device_id": agent}
    check = async_condition_from_config(hass, {**config, "type": "is_not_working"})
    assert check(hass, None)

    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    await hass.async_block_till_done()

    assert dr.async_get(hass).async_get(agent) is None
    assert not check(hass, None)
