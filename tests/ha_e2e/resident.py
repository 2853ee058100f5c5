"""User of a real Home Assistant, by its API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import re
from typing import Any

from aiohttp import ClientSession

from scripts.home_assistant import home, journey
from scripts.home_assistant.api import ApiError, HomeAssistantApi
from scripts.home_assistant.boot import RunningHomeAssistant

from .waiting import until

# ![image-1.png](/api/clawd/media/…?authSig=…)
PICTURE = re.compile(r"!\[[^\]]*\]\((?P<path>/[^)]+)\)")
TASKS = "sensor.openclaw_gateway_tasks"


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
        await until(lambda: self._has_state(entity_id, state), bool)

    async def expose(self, *entity_ids: str, exposed: bool = True) -> None:
        """Expose entities to Assist, or withdraw them."""
        await home.expose(self.api, *entity_ids, exposed=exposed)

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
        """Wait for the event by which an entity got a state, and for its cause."""

        async def find() -> list[dict[str, Any]]:
            events = await self.api.command(
                "logbook/get_events", start_time=self.since, entity_ids=[entity_id]
            )
            return [
                event
                for event in events
                if event.get("state") == state and "context_event_type" in event
            ]

        # The recorder writes every second. A call is an event when it ends: the state
        # may be written before its cause.
        return (await until(find, bool))[0]

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
        await until(self._is_visible, bool)

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
        await until(lambda: self._has_agent(title), bool)
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
        await until(self._is_visible, bool)

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
        await until(self._is_visible, bool)

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
