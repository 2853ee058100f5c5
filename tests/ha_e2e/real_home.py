"""Real Home Assistant with a real OpenClaw."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from pathlib import Path
import re
from typing import Any

from aiohttp import ClientSession

from custom_components.clawd.gateway import Endpoint, GatewayClient
from scripts.home_assistant import journey
from scripts.home_assistant.api import (
    ApiError,
    HomeAssistantApi,
    connect,
    connect_new_user,
)
from scripts.home_assistant.boot import RunningHomeAssistant, boot
from tests.gateway_e2e.clients import client_at, new_credentials, running
from tests.gateway_e2e.gateways import Gateway

from .installations import installation

KITCHEN = "light.kitchen_light"
HALL = "light.hall_light"
LOCK = "lock.front_door"
GARAGE = "cover.garage_door"
CAMERA = "camera.front_door"
EXPOSED = (KITCHEN, HALL, LOCK, GARAGE, "script.movie_time", "script.long_walk")
NAMES = ("Kitchen light", "Hall light", "Front door", "Garage door", "Movie time")
CONFIGURATION = """\
camera:
  - platform: peephole
input_boolean:
  bolt:
    initial: true
  gate:
    initial: false
script:
  movie_time:
    alias: Movie time
    description: Prepares the living room for a movie.
    sequence:
      - action: light.turn_on
        target: {entity_id: light.hall_light}
  long_walk:
    alias: Long walk
    description: Takes a minute.
    sequence:
      - action: light.turn_on
        target: {entity_id: light.hall_light}
      - delay: 60
template:
  - light:
      - name: Kitchen light
        unique_id: kitchen_light
        turn_on: []
        turn_off: []
      - name: Hall light
        unique_id: hall_light
        turn_on: []
        turn_off: []
    lock:
      - name: Front door
        unique_id: front_door
        state: "{{ is_state('input_boolean.bolt', 'on') }}"
        lock:
          action: input_boolean.turn_on
          target: {entity_id: input_boolean.bolt}
        unlock:
          action: input_boolean.turn_off
          target: {entity_id: input_boolean.bolt}
    cover:
      - name: Garage door
        unique_id: garage_door
        device_class: garage
        state: "{{ is_state('input_boolean.gate', 'on') }}"
        open_cover:
          action: input_boolean.turn_on
          target: {entity_id: input_boolean.gate}
        close_cover:
          action: input_boolean.turn_off
          target: {entity_id: input_boolean.gate}
"""
# ![image-1.png](/api/clawd/media/…?authSig=…)
PICTURE = re.compile(r"!\[[^\]]*\]\((?P<path>/[^)]+)\)")
TASKS = "sensor.openclaw_gateway_tasks"
COMPONENTS = Path(__file__).parent / "components"
LOUDSPEAKER = COMPONENTS / "loudspeaker"
PEEPHOLE = COMPONENTS / "peephole"
POLL_INTERVAL = 0.1
# Seconds in which a busy machine does what a test waits for, such as a reload.
TIMEOUT = 120.0


@dataclass(frozen=True)
class RealHome:
    """Running Home Assistant with an entry."""

    running: RunningHomeAssistant
    token: str
    entry_id: str
    agents: dict[str, str]

    @property
    def url(self) -> str:
        """Return the address."""
        return self.running.url

    @property
    def log(self) -> Path:
        """Return the path of the log."""
        return self.running.folder / "console.log"


@dataclass(frozen=True)
class Answer:
    """Answer of an agent in a conversation."""

    text: str
    conversation_id: str


@dataclass(frozen=True)
class Resident:
    """User of a home, by its API.

    Attributes:
        since: when the test began.

    """

    home: RealHome
    api: HomeAssistantApi
    since: str

    async def say(
        self, text: str, conversation_id: str | None = None, agent: str = "main"
    ) -> Answer:
        """Talk to an agent by the conversation API."""
        message = {"text": text, "language": "en", "agent_id": self.home.agents[agent]}
        if conversation_id:
            message["conversation_id"] = conversation_id
        answer = await self.api.post("conversation/process", message)
        speech = answer["response"]["speech"]["plain"]["speech"]
        return Answer(speech, answer["conversation_id"])

    async def state(self, entity_id: str) -> str:
        """Return the state of an entity."""
        return str((await self.api.get(f"states/{entity_id}"))["state"])

    async def wait_state(self, entity_id: str, state: str) -> None:
        """Wait for a state of an entity."""
        await self._wait(lambda: self._has_state(entity_id, state))

    async def expose(self, *entity_ids: str, exposed: bool = True) -> None:
        """Expose entities to Assist, or withdraw them."""
        await self.api.command(
            "homeassistant/expose_entity",
            assistants=["conversation"],
            entity_ids=[*entity_ids],
            should_expose=exposed,
        )

    async def reload(self) -> None:
        """Reload the entry."""
        entry = {"entry_id": self.home.entry_id}
        await self.api.post("services/homeassistant/reload_config_entry", entry)

    async def set_options(self, **options: object) -> None:
        """Change options of the entry, which reloads."""
        path = "config/config_entries/options/flow"
        form = await self.api.post(path, {"handler": self.home.entry_id})
        done = await self.api.post(f"{path}/{form['flow_id']}", options)
        assert done["type"] == "create_entry", done

    async def act(self, action: str, entity_id: str) -> None:
        """Perform an action of Home Assistant on an entity."""
        path = f"services/{action.replace('.', '/')}"
        await self.api.post(path, {"entity_id": entity_id})

    async def wait_logbook(self, entity_id: str, state: str) -> dict[str, Any]:
        """Wait for the event by which an entity got a state since the test began."""
        found: list[dict[str, Any]] = []

        async def has_event() -> bool:
            events = await self.api.command(
                "logbook/get_events", start_time=self.since, entity_ids=[entity_id]
            )
            found.extend(event for event in events if event.get("state") == state)
            return bool(found)

        # The recorder writes every few seconds.
        await self._wait(has_event)
        return found[0]

    async def tasks(self) -> int:
        """Return the number of tasks that are under way."""
        return int(await self.state(TASKS))

    async def wait_tasks(self, number: int) -> None:
        """Wait until a number of tasks is under way."""
        await self.wait_state(TASKS, str(number))

    async def user_id(self) -> str:
        """Return the id of the user."""
        return str((await self.api.command("auth/current_user"))["id"])

    async def issues(self, kind: str) -> list[dict[str, Any]]:
        """Return our repairs of a kind: the key of their texts."""
        answer = await self.api.command("repairs/list_issues")
        keys = ("domain", "translation_key")
        ours = (journey.DOMAIN, kind)
        return [
            issue
            for issue in answer["issues"]
            if tuple(issue[key] for key in keys) == ours
        ]

    async def wait_issue(self, kind: str) -> dict[str, Any]:
        """Wait for our repair of a kind."""
        [issue] = await until(lambda: self.issues(kind), bool)
        return issue

    async def wait_no_issue(self, kind: str) -> None:
        """Wait until none of our repairs is of a kind."""
        await until(lambda: self.issues(kind), lambda issues: not issues)

    async def wait_questions_requested(self) -> str:
        """Wait for the request to let agents ask; return its id."""
        issue = await self.wait_issue("questions_not_approved")
        # openclaw devices approve <id>
        return str(issue["translation_placeholders"]["command"].split()[-1])

    async def fix(self, issue: dict[str, Any], **fields: str) -> dict[str, Any]:
        """Complete the fix flow of a repair; return its end."""
        start = {"handler": journey.DOMAIN, "issue_id": issue["issue_id"]}
        flow = await self.api.post("repairs/issues/fix", start)
        path = f"repairs/issues/fix/{flow['flow_id']}"
        return dict(await self.api.post(path, fields))

    async def diagnostics(self) -> dict[str, Any]:
        """Return our part of the diagnostics."""
        path = f"diagnostics/config_entry/{self.home.entry_id}"
        return dict(json.loads(await self.api.download(path))["data"])

    async def wait_picture(self, text: str) -> bytes:
        """Wait for a notification with a text and a picture; return the picture."""

        async def find() -> re.Match[str] | None:
            shown = await self.api.command("persistent_notification/get")
            messages = [one["message"] for one in shown if text in one["message"]]
            return PICTURE.search("\n".join(messages))

        found = await until(find, bool)
        assert found
        # As a browser does: without the user's token.
        async with ClientSession(self.home.url) as session:
            picture = await session.get(found["path"])
            return await picture.read()

    async def check(self, check: str) -> dict[str, Any]:
        """Return the result of a check of the self-test."""
        report = await journey.self_test(self.api, self.home.entry_id, "active", check)
        return dict(report["checks"][0])

    async def wait_visible(self) -> None:
        """Wait until the Gateway's agents see the tools."""
        await self._wait(self._is_visible)

    @asynccontextmanager
    async def another_agent(
        self, agent: str, title: str, access: str, **choice: str
    ) -> AsyncIterator[None]:
        """Add an agent of the Gateway for a time."""
        path = "config/config_entries/subentries/flow"
        flow = await self.api.post(
            path, {"handler": [self.home.entry_id, "conversation"]}
        )
        path = f"{path}/{flow['flow_id']}"
        await self.api.post(path, {"agent": agent, **choice})
        await self.api.post(path, _agent_settings(access))
        added = await self.api.post(path, {"create_assistant": False})
        assert added["type"] == "create_entry", added
        await self._wait(lambda: self._has_agent(title))
        try:
            yield
        finally:
            await self._remove_agent(title)

    async def _remove_agent(self, title: str) -> None:
        await self.api.command(
            "config_entries/subentries/delete",
            entry_id=self.home.entry_id,
            subentry_id=await self._subentry_of(title),
        )
        del self.home.agents[title]
        await self._wait(self._is_visible)

    async def _subentry_of(self, title: str) -> str:
        """Return the id of an agent's subentry."""
        subentries = await self.api.command(
            "config_entries/subentries/list", entry_id=self.home.entry_id
        )
        [found] = [
            one["subentry_id"]
            for one in subentries
            if (one["subentry_type"], one["title"]) == ("conversation", title)
        ]
        return str(found)

    async def set_handoff(self, seconds: int) -> None:
        """Hand spoken questions off after a time; the entry reloads if it is new."""
        agents = (await self.diagnostics())["settings"]["agents"]
        if seconds not in [one["handoff_after"] for one in agents]:
            await self.set_up_agent(handoff_after=seconds)

    async def set_up_agent(self, agent: str = "main", **voice: object) -> None:
        """Give an agent its first settings, but for its voice; the entry reloads."""
        subentry_id = await self._subentry_of(agent)
        path = "config/config_entries/subentries/flow"
        handler = [self.home.entry_id, "conversation"]
        flow = await self.api.post(
            path, {"handler": handler, "subentry_id": subentry_id}
        )
        path = f"{path}/{flow['flow_id']}"
        await self.api.post(path, {"agent": agent})
        settings = _agent_settings("control", voice)
        done = await self.api.post(
            path, {**settings, "session_scope": "device_or_user"}
        )
        assert done["reason"] == "reconfigure_successful", done
        await self._wait(self._is_visible)

    async def _has_agent(self, title: str) -> bool:
        self.home.agents.update(await agents_of(self.api, self.home.entry_id))
        return title in self.home.agents

    async def _has_state(self, entity_id: str, state: str) -> bool:
        return await self.state(entity_id) == state

    async def _is_visible(self) -> bool:
        try:
            return bool((await self.check("home_visible"))["status"] == "pass")
        except ApiError:
            # The entry reloads after a change of its settings.
            return False

    async def _wait(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(TIMEOUT):
            while True:
                if await condition():
                    return
                await asyncio.sleep(POLL_INTERVAL)


@contextmanager
def shared[T](serving: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Run for tests that share it, each with a loop of its own."""
    with asyncio.Runner() as runner:
        value = runner.run(_enter(serving))
        try:
            yield value
        finally:
            runner.run(_leave(serving))


@asynccontextmanager
async def new_home(gateway: Gateway) -> AsyncIterator[RealHome]:
    """Run a Home Assistant with home access."""
    async with boot(
        installation=installation(),
        configuration=CONFIGURATION,
        components=[LOUDSPEAKER, PEEPHOLE],
    ) as running:
        async with connect_new_user(running.url) as (api, token):
            fields = {"address": gateway.url, "token": gateway.token}
            entry = await journey.add_gateway(api, fields, print, "control")
            entry_id = entry["entry_id"]
            agents = await agents_of(api, entry_id)
            home = RealHome(running, token, entry_id, agents)
            resident = Resident(home, api, now())
            await resident.expose(*EXPOSED)
            await resident.wait_visible()
        yield home


@asynccontextmanager
async def resident_of(home: RealHome) -> AsyncIterator[Resident]:
    """Connect to a home, as its user."""
    async with connect(home.url, home.token) as api:
        yield Resident(home, api, now())


@asynccontextmanager
async def another_client(gateway: Gateway) -> AsyncIterator[GatewayClient]:
    """Connect to a Gateway as one of its other clients."""
    endpoint = Endpoint("127.0.0.1", gateway.port)
    async with running(client_at(endpoint, new_credentials(gateway.token))) as client:
        yield client


@dataclass
class NewSession:
    """Session of the Gateway that a question begins; its key follows the question."""

    key: str = ""


@asynccontextmanager
async def new_session(client: GatewayClient) -> AsyncIterator[NewSession]:
    """Find the session of a home that begins meanwhile."""
    before, session = await _sessions_of_homes(client), NewSession()
    yield session
    [session.key] = await _sessions_of_homes(client) - before


async def _sessions_of_homes(client: GatewayClient) -> set[str]:
    rows = (await client.request("sessions.list"))["sessions"]
    return {row["key"] for row in rows if ":ha-" in row["key"]}


def _agent_settings(
    access: str, voice: dict[str, object] | None = None
) -> dict[str, Any]:
    return {
        "session_scope": "conversation",
        "instructions": "",
        "share_user_name": False,
        "speech_cleanup": True,
        "home": {"home_access": access},
        "voice": voice or {},
        "advanced": {},
    }


async def agents_of(api: HomeAssistantApi, entry_id: str) -> dict[str, str]:
    """Return the conversation entities of an entry by the titles of their agents."""
    subentries = await api.command("config_entries/subentries/list", entry_id=entry_id)
    titles = {one["subentry_id"]: one["title"] for one in subentries}
    return {
        titles[entity["config_subentry_id"]]: entity["entity_id"]
        for entity in await api.command("config/entity_registry/list")
        if entity["config_subentry_id"] in titles
        and entity["entity_id"].startswith("conversation.")
    }


def now() -> str:
    """Return the time as the logbook takes it."""
    return datetime.now(UTC).isoformat()


async def _enter[T](serving: AbstractAsyncContextManager[T]) -> T:
    return await serving.__aenter__()


async def _leave(serving: AbstractAsyncContextManager[object]) -> None:
    await serving.__aexit__(None, None, None)


async def until[T](
    read: Callable[[], Awaitable[T]],
    wanted: Callable[[T], bool],
    timeout: float = TIMEOUT,
) -> T:
    """Read until it is as wanted."""
    async with asyncio.timeout(timeout):
        while not wanted(value := await read()):  # noqa: ASYNC110 - no event
            await asyncio.sleep(POLL_INTERVAL)
    return value
