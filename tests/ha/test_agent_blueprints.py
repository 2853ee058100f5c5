"""Blueprints with agents."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from shutil import copytree
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.assist_satellite.errors import SatelliteBusyError
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.clawd.const import DOMAIN
from tests.simulator import Fail, GatewaySimulator, Pause, Reply

from .ai_tasks import cleaned_up
from .pictures import add_camera
from .states import AGENT

FOLDER = Path(__file__).parents[2] / "blueprints"
INPUTS = {
    "ask_every_morning": {
        *("agent", "time", "question", "fallback", "satellites", "actions")
    },
    "describe_doorbell_visitor": {
        *("doorbell", "camera", "agent", "question", "fallback", "satellites"),
        "actions",
    },
    "tell_when_a_task_is_done": {"agents", "notify"},
}
# It keeps a text from being a literal or a command; nobody sees or hears it.
WORD_JOINER = "\u2060"
MAX_MESSAGE = 1000
NO_TEXTS = ("42", "None", "[1]", "{'a': 1}", "True", "1.50", "command_dnd")
BELL = "event.front_door_ring"
SATELLITE = "assist_satellite.hall"
SHOW = [
    {"action": "persistent_notification.create", "data": {"message": "{{ message }}"}}
]
# The device is busy, or its voice is broken.
ANNOUNCE_ERRORS = (SatelliteBusyError(), HomeAssistantError(), RuntimeError())


def plain(text: object) -> str:
    """Return a text of an agent as people see it."""
    assert isinstance(text, str)
    assert text.startswith(WORD_JOINER)
    assert len(text) <= len(WORD_JOINER) + MAX_MESSAGE
    return text.removeprefix(WORD_JOINER)


class Blueprints:
    """Automations from blueprints, and their effects."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize without automations."""
        self._hass = hass
        self.announced = async_mock_service(hass, "assist_satellite", "announce")
        self.shown = async_mock_service(hass, "persistent_notification", "create")

    async def use(self, name: str, **inputs: object) -> None:
        """Make an automation of a blueprint."""
        uses = {"path": f"clawd/{name}.yaml", "input": inputs}
        config = {"automation": {"use_blueprint": uses}}
        assert await async_setup_component(self._hass, "automation", config)
        await self._hass.async_block_till_done()
        [state] = self._hass.states.async_all("automation")
        assert state.state == "on"

    @property
    def messages(self) -> list[str]:
        """Return the messages that are shown."""
        return [plain(call.data["message"]) for call in self.shown]


@pytest.fixture
async def blueprints(
    hass: HomeAssistant,
    entry: MockConfigEntry,  # noqa: ARG001 - its actions are called
    tmp_path: Path,
) -> AsyncGenerator[Blueprints]:
    """Return the blueprints; turn their automations off at the end."""
    hass.config.config_dir = str(tmp_path)
    copytree(FOLDER, tmp_path / "blueprints")
    yield Blueprints(hass)
    every = {"entity_id": "all"}
    await hass.services.async_call("automation", "turn_off", every, blocking=True)


def announced(calls: list[ServiceCall]) -> list[tuple[Any, str]]:
    """Return announcements and their devices."""
    return [(call.data["entity_id"], plain(call.data["message"])) for call in calls]


async def test_there_are_no_others(hass: HomeAssistant) -> None:
    def names() -> set[str]:
        return {path.stem for path in FOLDER.rglob("*.yaml")}

    found = await hass.async_add_executor_job(names)
    assert found == {*INPUTS, "notify_on_self_test_failure"}


@pytest.mark.parametrize("name", INPUTS)
async def test_home_assistant_loads_it(
    hass: HomeAssistant, tmp_path: Path, name: str
) -> None:
    hass.config.config_dir = str(tmp_path)
    copytree(FOLDER, tmp_path / "blueprints")
    assert await async_setup_component(hass, "automation", {})
    path = f"clawd/{name}.yaml"

    blueprint = await async_get_blueprints(hass).async_get_blueprint(path)

    assert blueprint.validate() is None
    assert set(blueprint.inputs) == INPUTS[name]
    assert blueprint.metadata["source_url"].endswith(f"automation/{path}")


@pytest.fixture
def time(freezer: FrozenDateTimeFactory) -> datetime:
    """Return a time that comes soon; the connection does not survive a night."""
    freezer.move_to("2026-11-29T05:59:58+00:00")
    return dt_util.now().replace(microsecond=0) + timedelta(seconds=2)


async def reach(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, time: datetime
) -> None:
    """Let it be a time."""
    freezer.move_to(time)
    async_fire_time_changed(hass, time)
    await hass.async_block_till_done()


async def test_the_agent_is_asked_every_morning(
    hass: HomeAssistant,
    time: datetime,
    gateway: GatewaySimulator,
    freezer: FrozenDateTimeFactory,
    blueprints: Blueprints,
) -> None:
    await blueprints.use(
        "ask_every_morning",
        agent=AGENT,
        time=f"{time:%H:%M:%S}",
        question="What is on today?",
        satellites=[SATELLITE],
        actions=SHOW,
    )
    gateway.script(Reply("The bins."))

    await reach(hass, freezer, time)

    [request] = gateway.received("agent")
    assert "What is on today?" in request.params["message"]
    assert announced(blueprints.announced) == [([SATELLITE], "The bins.")]
    assert blueprints.messages == ["The bins."]


async def test_nothing_is_announced_without_a_voice_device(
    hass: HomeAssistant,
    time: datetime,
    gateway: GatewaySimulator,
    freezer: FrozenDateTimeFactory,
    blueprints: Blueprints,
) -> None:
    await blueprints.use(
        "ask_every_morning", agent=AGENT, time=f"{time:%H:%M:%S}", actions=SHOW
    )
    gateway.script(Reply("The bins."))

    await reach(hass, freezer, time)

    assert blueprints.announced == []
    assert blueprints.messages == ["The bins."]


@pytest.fixture
async def bell(hass: HomeAssistant, blueprints: Blueprints) -> None:
    """Set up a camera description at the doorbell."""
    camera = await add_camera(hass)
    hass.states.async_set(BELL, "unknown")
    await blueprints.use(
        "describe_doorbell_visitor",
        doorbell=BELL,
        camera=camera,
        agent=AGENT,
        satellites=[SATELLITE],
        actions=SHOW,
    )


async def ring(
    hass: HomeAssistant, state: str = "2026-11-29T10:00:00+00:00", **attributes: object
) -> None:
    """Let the bell ring."""
    hass.states.async_set(BELL, state, attributes)
    await hass.async_block_till_done()


type Morning = Callable[[], Awaitable[None]]


@pytest.fixture
async def morning(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    time: datetime,
    blueprints: Blueprints,
) -> Morning:
    """Set up the morning question."""
    await blueprints.use(
        "ask_every_morning",
        agent=AGENT,
        time=f"{time:%H:%M:%S}",
        satellites=[SATELLITE],
        actions=SHOW,
    )
    return partial(reach, hass, freezer, time)


@pytest.mark.parametrize("reply", NO_TEXTS)
async def test_each_reply_of_a_morning_is_a_text(
    morning: Morning, gateway: GatewaySimulator, blueprints: Blueprints, reply: str
) -> None:
    gateway.script(Reply(reply))

    await morning()

    assert announced(blueprints.announced) == [([SATELLITE], reply)]
    assert blueprints.messages == [reply]


@pytest.mark.usefixtures("bell")
@pytest.mark.parametrize("reply", NO_TEXTS)
async def test_each_description_is_a_text(
    hass: HomeAssistant, gateway: GatewaySimulator, blueprints: Blueprints, reply: str
) -> None:
    gateway.script(Reply(reply))

    await ring(hass)

    assert announced(blueprints.announced) == [([SATELLITE], reply)]
    assert blueprints.messages == [reply]


def task_event(text: str, **more: str) -> dict[str, str]:
    """Return the data of a task that has ended."""
    return {"agent": AGENT, "status": "completed", "text": text, **more}


@pytest.mark.parametrize("text", NO_TEXTS)
async def test_what_a_task_tells_is_a_text(
    hass: HomeAssistant, blueprints: Blueprints, text: str
) -> None:
    await blueprints.use("tell_when_a_task_is_done")

    failed = task_event("", name=text, status="failed", error=text)
    for event in (task_event(text, name=text), failed):
        hass.bus.async_fire("clawd_task_finished", event)
    await hass.async_block_till_done()

    assert [plain(call.data["title"]) for call in blueprints.shown] == [text, text]
    assert blueprints.messages == [text, text]


@pytest.mark.parametrize("error", ANNOUNCE_ERRORS, ids=repr)
async def test_a_reply_is_shown_even_if_it_cannot_be_announced(
    hass: HomeAssistant,
    morning: Morning,
    gateway: GatewaySimulator,
    blueprints: Blueprints,
    error: Exception,
) -> None:
    async_mock_service(hass, "assist_satellite", "announce", raise_exception=error)
    gateway.script(Reply("The bins."))

    await morning()

    assert blueprints.messages == ["The bins."]


@pytest.mark.usefixtures("bell")
@pytest.mark.parametrize("error", ANNOUNCE_ERRORS, ids=repr)
async def test_a_ring_is_shown_even_if_it_cannot_be_announced(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    blueprints: Blueprints,
    error: Exception,
) -> None:
    async_mock_service(hass, "assist_satellite", "announce", raise_exception=error)
    gateway.script(Reply("A courier with a parcel."))

    await ring(hass)

    assert blueprints.messages == ["A courier with a parcel."]


@pytest.mark.usefixtures("bell")
async def test_a_ring_is_shown_while_it_is_announced(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    shown = asyncio.Event()

    async def announce(_: ServiceCall) -> None:
        await shown.wait()

    async def show(_: ServiceCall) -> None:
        shown.set()

    hass.services.async_register("assist_satellite", "announce", announce)
    hass.services.async_register("persistent_notification", "create", show)
    gateway.script(Reply("A courier with a parcel."))

    await ring(hass)

    assert shown.is_set()


async def test_a_morning_without_a_reply_is_told(
    morning: Morning, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    gateway.script(Fail("the model is overloaded"))

    await morning()

    assert announced(blueprints.announced) == [
        ([SATELLITE], "The agent did not answer.")
    ]
    assert blueprints.messages == ["The agent did not answer."]


LONG = "a" * 300_000
SHORT = "a" * (MAX_MESSAGE - 1) + "…"


async def test_the_beginning_of_a_long_text_is_told(
    hass: HomeAssistant, blueprints: Blueprints
) -> None:
    await blueprints.use("tell_when_a_task_is_done")

    hass.bus.async_fire("clawd_task_finished", task_event(LONG, name=LONG))
    await hass.async_block_till_done()

    assert blueprints.messages == [SHORT]


@pytest.mark.usefixtures("bell")
async def test_the_beginning_of_a_long_description_is_announced(
    hass: HomeAssistant, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    gateway.script(Reply(LONG))

    await ring(hass)

    assert announced(blueprints.announced) == [([SATELLITE], SHORT)]
    assert blueprints.messages == [SHORT]


async def test_the_beginning_of_a_long_reply_is_announced(
    morning: Morning, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    gateway.script(Reply(LONG))

    await morning()

    assert announced(blueprints.announced) == [([SATELLITE], SHORT)]


# Home Assistant shows notifications as Markdown, with a part of HTML.
PICTURES = "a !![b](https://x.example) c <img src=https://x.example> ![d][e]"
NO_PICTURES = (
    "a !!\u2060[b](https://x.example) c <\u2060img src=https://x.example> !\u2060[d][e]"
)


@pytest.mark.usefixtures("bell")
async def test_a_description_fetches_no_picture(
    hass: HomeAssistant, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    gateway.script(Reply(PICTURES))

    await ring(hass)

    assert blueprints.messages == [NO_PICTURES]


async def test_a_reply_fetches_no_picture(
    morning: Morning, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    gateway.script(Reply(PICTURES))

    await morning()

    assert blueprints.messages == [NO_PICTURES]


async def test_what_a_task_tells_fetches_no_picture(
    hass: HomeAssistant, blueprints: Blueprints
) -> None:
    await blueprints.use("tell_when_a_task_is_done")

    failed = task_event("", status="failed", error=PICTURES)
    for event in (task_event(PICTURES), failed):
        hass.bus.async_fire("clawd_task_finished", event)
    await hass.async_block_till_done()

    assert blueprints.messages == [NO_PICTURES, NO_PICTURES]


@pytest.mark.usefixtures("bell")
async def test_the_picture_of_who_rings_is_described(
    hass: HomeAssistant, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    gateway.script(Reply("A courier with a parcel."))

    await ring(hass)

    [request] = gateway.received("agent")
    assert len(request.params["attachments"]) == 1
    assert announced(blueprints.announced) == [
        ([SATELLITE], "A courier with a parcel.")
    ]
    assert blueprints.messages == ["A courier with a parcel."]


@pytest.mark.usefixtures("bell")
async def test_a_ring_is_told_even_if_the_agent_fails(
    hass: HomeAssistant, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    gateway.script(Fail("the model is overloaded"))

    await ring(hass)

    assert blueprints.messages == ["Someone is at the door."]
    assert len(blueprints.announced) == 1


@pytest.mark.usefixtures("bell")
async def test_a_bell_that_comes_back_does_not_ring(
    hass: HomeAssistant, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    for state in ("unavailable", "2026-11-29T09:00:00+00:00", "unknown", "off"):
        await ring(hass, state)

    assert gateway.received("agent") == []
    assert blueprints.messages == []


@pytest.mark.usefixtures("bell")
async def test_a_bell_that_is_removed_and_added_does_not_ring(
    hass: HomeAssistant, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    hass.states.async_remove(BELL)
    await ring(hass)

    assert gateway.received("agent") == []
    assert blueprints.messages == []

    gateway.script(Reply("A courier with a parcel."))
    await ring(hass, "2026-11-29T11:00:00+00:00")

    assert blueprints.messages == ["A courier with a parcel."]


@pytest.mark.usefixtures("bell")
@pytest.mark.parametrize(
    ("event_types", "event_type", "rings"),
    [
        (["ring", "motion"], "motion", False),
        (["ring", "motion"], "ring", True),
        (["pressed", "held"], "held", True),
    ],
)
async def test_only_a_ring_of_the_doorbell_is_told(  # noqa: PLR0913, PLR0917 - the cases
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    blueprints: Blueprints,
    event_types: list[str],
    event_type: str,
    rings: bool,  # noqa: FBT001 - a case
) -> None:
    gateway.script(Reply("A courier with a parcel."))

    await ring(hass, event_types=event_types, event_type=event_type)

    assert blueprints.messages == ["A courier with a parcel."] * rings


async def test_a_ring_is_told_even_if_the_camera_is_off(
    hass: HomeAssistant, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    camera = await add_camera(hass, is_on=False)
    hass.states.async_set(BELL, "unknown")
    await blueprints.use(
        "describe_doorbell_visitor",
        doorbell=BELL,
        camera=camera,
        agent=AGENT,
        actions=SHOW,
    )

    await ring(hass)

    assert gateway.received("agent") == []
    assert blueprints.messages == ["Someone is at the door."]


async def start(hass: HomeAssistant, **more: str) -> str:
    """Start a task; return its id."""
    started = await hass.services.async_call(
        DOMAIN,
        "start_task",
        {"agent": AGENT, "text": "Which one?", **more},
        blocking=True,
        return_response=True,
    )
    assert started
    return str(started["task_id"])


async def test_the_end_of_each_task_is_told(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    blueprints: Blueprints,
) -> None:
    await blueprints.use("tell_when_a_task_is_done")
    gateway.script_once(Reply("A small one."))
    gateway.script_once(Fail("the provider refuses"))
    for name in ({"name": "Heat pump"}, {}):
        await start(hass, **name)
        await cleaned_up(entry)
        await hass.async_block_till_done()

    titles = [plain(call.data["title"]) for call in blueprints.shown]
    assert titles == ["Heat pump", "main"]
    assert blueprints.messages == [
        "A small one.",
        "The agent could not answer: the provider refuses",
    ]


async def test_a_canceled_task_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator, blueprints: Blueprints
) -> None:
    await blueprints.use("tell_when_a_task_is_done", agents=[AGENT])
    gateway.script(Pause(), Reply("Late."))
    task_id = await start(hass)
    await gateway.wait_until(lambda: gateway.paused > 0)

    await hass.services.async_call(
        DOMAIN, "cancel_task", {"task_id": task_id}, blocking=True
    )
    await hass.async_block_till_done()

    assert blueprints.messages == ["The task was canceled."]


async def test_tasks_of_other_agents_are_not_told(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    blueprints: Blueprints,
) -> None:
    await blueprints.use("tell_when_a_task_is_done", agents=["conversation.other"])
    gateway.script(Reply("A small one."))

    await start(hass)
    await cleaned_up(entry)
    await hass.async_block_till_done()

    assert blueprints.messages == []
