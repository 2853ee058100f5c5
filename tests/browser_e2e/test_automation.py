"""AI tasks, actions and blueprints in the frontend."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, override

from aiohttp import ClientSession
from homeassistant.util.yaml import parse_yaml
import pytest

from scripts.home_assistant.folder import COMPONENT, ROOT
from tests.gateway_e2e.clients import serve_ready_gateway
from tests.gateway_e2e.editions import SEEING_AGENTS
from tests.gateway_e2e.gateway_harness import RealGatewayHarness
from tests.gateway_e2e.gateways import Gateway
from tests.gateway_e2e.model import PIXEL
from tests.gateway_e2e.nodes import admin
from tests.gateway_e2e.test_questions import ASK
from tests.ha_e2e.real_home import resident_of, shared
from tests.ha_e2e.resident import RealHome, Resident
from tests.ha_e2e.waiting import until

from .automated_home import new_home
from .frontend import Frontend
from .home import Home, keep_login, keep_screenshot, open_browser

AGENT = "conversation.main"
TASK = "ai_task.main_ai_task"
DOOR = {
    "media_content_id": "media-source://camera/camera.front_door",
    "media_content_type": "image/jpeg",
}
QUESTION = "What color is the front door?"
STRUCTURE = {
    "pictures": {"required": True, "selector": {"number": {}}},
    "color": {"required": True, "selector": {"text": {}}},
}
SEEN = {"pictures": 1, "color": "red"}
GENERATE_DATA = {
    "action": "ai_task.generate_data",
    "data": {
        "entity_id": TASK,
        "task_name": "Color of the door",
        "instructions": QUESTION,
        "structure": STRUCTURE,
        "attachments": [DOOR],
    },
}
GENERATE_IMAGE = {
    "action": "ai_task.generate_image",
    "data": {"entity_id": TASK, "task_name": "Cat", "instructions": "A cat"},
}
EVALUATE = {
    "action": "ai_task.evaluate",
    "data": {
        "entity_id": TASK,
        "task_name": "Home",
        "state": 'say {"home": 0.9}',
        "questions": {"home": {"type": "noul", "instructions": "Is anybody there?"}},
    },
}


def parse(text: str) -> dict[str, Any]:
    """Parse a YAML document with keys."""
    parsed = parse_yaml(text)
    assert isinstance(parsed, dict)
    return parsed


SERVICES = parse((COMPONENT / "services.yaml").read_text("utf-8"))
TEXTS = parse((COMPONENT / "translations" / "en.json").read_text("utf-8"))["services"]
BLUEPRINTS = ROOT / "blueprints" / "automation" / "clawd"
NAMES = {
    path.stem: parse(path.read_text("utf-8"))["blueprint"]["name"]
    for path in sorted(BLUEPRINTS.glob("*.yaml"))
}
# The inputs that have no default.
INPUTS: dict[str, dict[str, str]] = {
    "ask_every_morning": {"Agent": "main"},
    "describe_doorbell_visitor": {
        "Doorbell": "Bell",
        "Camera": "front_door",
        "Agent": "main",
    },
    "notify_on_self_test_failure": {"Self-test": "Self-test"},
    "tell_when_a_task_is_done": {},
}


@pytest.fixture(scope="module")
def openclaw() -> Iterator[Gateway]:
    """Run OpenClaw, whose model sees pictures, and which makes images."""
    with serve_ready_gateway(4, settings=SEEING_AGENTS, images=True) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the browser and the camera."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def real_home(openclaw: Gateway, folder: Path) -> Iterator[RealHome]:
    """Run Home Assistant."""
    with shared(new_home(openclaw, folder)) as home:
        yield home
        log = home.log.read_text()
    assert "Traceback" not in log
    assert "will stop working" not in log


@pytest.fixture
async def home(
    real_home: RealHome, folder: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Home]:
    """Open a browser that is logged in."""
    async with open_browser(folder) as context:
        home = Home(real_home.url, context.pages[0], context)
        await keep_login(home, real_home.token)
        yield home
        await keep_screenshot(home, request.node)


@pytest.fixture
async def resident(real_home: RealHome) -> AsyncIterator[Resident]:
    """Return the user of the home."""
    async with resident_of(real_home) as resident:
        yield resident


class QuietHandler(SimpleHTTPRequestHandler):
    """Handler without a log."""

    @override
    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serve_files(folder: Path) -> Iterator[str]:
    """Serve a folder; yield its URL."""
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


async def perform(frontend: Frontend, action: str, **data: object) -> dict[str, Any]:
    """Perform one of our actions in its form; return the response."""
    await fill_in(frontend, action, data)
    return parse(await frontend.perform())


async def fill_in(frontend: Frontend, action: str, data: Mapping[str, object]) -> None:
    """Fill in one of our actions, and look at its form."""
    await frontend.open_action({"action": f"clawd.{action}", "data": data})
    texts = TEXTS[action]["fields"]
    fields = [
        (texts[name]["name"], texts[name]["description"])
        for name in SERVICES[action]["fields"]
    ]
    await frontend.expect_fields(fields)


async def test_ai_task_sees_the_camera_and_answers_with_data(
    frontend: Frontend, pytestconfig: pytest.Config
) -> None:
    await frontend.open_action(GENERATE_DATA)
    response = parse(await frontend.perform())
    assert response["data"] == SEEN
    if pictures := pytestconfig.getoption("--pictures"):
        await frontend.picture_page(pictures / "ai-task.png", 1130)


async def test_ai_task_makes_an_image(frontend: Frontend, resident: Resident) -> None:
    await frontend.open_action(GENERATE_IMAGE)
    response = parse(await frontend.perform())
    async with ClientSession(resident.home.url) as session:
        image = await session.get(response["url"])
        # The provider always makes the same.
        assert await image.read() == b64decode(PIXEL)


async def test_ai_task_estimates_an_answer(frontend: Frontend) -> None:
    await frontend.open_action(EVALUATE)
    response = parse(await frontend.perform())
    assert response["answers"]["home"]["noul"] == 0.9


async def test_agent_is_asked(frontend: Frontend, pytestconfig: pytest.Config) -> None:
    question = {"agent": AGENT, "text": QUESTION, "timeout": 90}
    data = {**question, "attachments": [DOOR], "structure": STRUCTURE}
    await fill_in(frontend, "ask", data)
    if pictures := pytestconfig.getoption("--pictures"):
        await frontend.picture_page(pictures / "ask.png", 960)
    answer = parse(await frontend.perform())
    assert answer["data"] == SEEN
    assert answer["model"] == "mock/sighted"


async def test_task_is_started_and_cancelled(
    frontend: Frontend, resident: Resident
) -> None:
    await resident.wait_tasks(0)
    task = await perform(frontend, "start_task", agent=AGENT, text="hang")
    await resident.wait_tasks(1)
    assert await perform(frontend, "cancel_task", **task) == task
    await resident.wait_tasks(0)
    assert "No task with this ID is running" in await frontend.perform_in_vain()


async def test_conversation_begins_anew(frontend: Frontend, resident: Resident) -> None:
    await resident.api.post("services/clawd/new_conversation", {"agent": AGENT})
    await resident.say("say Hello.")
    begun = await perform(frontend, "new_conversation", agent=AGENT)
    assert begun == {"sessions": 1}


async def test_message_without_a_channel_is_refused(frontend: Frontend) -> None:
    await fill_in(frontend, "send_message", {"target": "1", "text": "Hello."})
    assert "Check that the channel is set up" in await frontend.perform_in_vain()


async def test_agent_is_woken(frontend: Frontend) -> None:
    woken = await perform(frontend, "wake", agent=AGENT, text="The bell rang.")
    assert woken == {"accepted": True}


async def test_question_is_answered(
    frontend: Frontend, resident: Resident, openclaw: Gateway
) -> None:
    await allow_questions(resident, openclaw)
    answer = {"question_id": await ask_back(resident), "answer": "Kitchen"}
    assert await perform(frontend, "answer", **answer) == {"status": "answered"}
    assert "This question is not open" in await frontend.perform_in_vain()
    await resident.wait_tasks(0)


async def allow_questions(resident: Resident, gateway: Gateway) -> None:
    """Allow the agent to ask."""
    await resident.set_options(ask_questions=True)
    request_id = await resident.wait_questions_requested()
    async with admin(RealGatewayHarness(gateway)) as operator:
        await operator.request("device.pair.approve", {"requestId": request_id})
    await resident.wait_no_issue("questions_not_approved")


async def ask_back(resident: Resident) -> str:
    """Start a task in which the agent asks; return the question's id."""
    async with resident_of(resident.home) as listener:
        events = listener.api.events("subscribe_events", event_type="clawd_question")
        asked = asyncio.create_task(anext(events))
        await resident.api.post(
            "services/clawd/start_task", {"agent": AGENT, "text": ASK}
        )
        return str((await asked)["data"]["question_id"])


async def test_self_test_passes(frontend: Frontend) -> None:
    fields = {"mode": "passive", "checks": ["protocol", "features"]}
    await fill_in(frontend, "self_test", fields)
    [report] = parse(await frontend.perform())["reports"]
    assert report["status"] == "pass"


@pytest.mark.parametrize("blueprint", NAMES)
async def test_blueprint_becomes_an_automation(
    frontend: Frontend, resident: Resident, blueprint: str
) -> None:
    name = NAMES[blueprint]
    with serve_files(BLUEPRINTS) as url:
        await frontend.import_blueprint(f"{url}/{blueprint}.yaml", name)
    await frontend.open_blueprint(name)
    for field, choice in INPUTS[blueprint].items():
        await frontend.choose_input(field, choice)
    await frontend.save_automation()
    found = await until(partial(automations, resident), lambda found: name in found)
    assert found[name] == "on"


async def automations(resident: Resident) -> dict[str, str]:
    """Return the states of the automations by their names."""
    states = await resident.api.get("states")
    return {
        one["attributes"]["friendly_name"]: one["state"]
        for one in states
        if one["entity_id"].startswith("automation.")
    }
