"""Unsolicited replies of agents."""

from dataclasses import dataclass, replace
import json
import threading
from types import SimpleNamespace
from typing import Any
import uuid

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.clawd.assist import listeners as listener_module, unsolicited
from custom_components.clawd.assist.listeners import (
    Message,
    Owner,
    SessionListeners,
    get_listeners,
)
from custom_components.clawd.assist.unsolicited import spoken_reply
from custom_components.clawd.gateway import RunResult
from custom_components.clawd.home import notifications
from custom_components.clawd.home.announcements import Listener
from tests.simulator import GatewaySimulator, Pause, Refusal, Reply, Spawn, Step

from .assist_client import Conversation, wait_processed
from .downloads import Download
from .states import CONNECTIVITY, wait_for_state
from .voice_devices import Satellite, add

BY_DEVICE = {"session_scope": "device"}
SHARED = {"session_scope": "shared"}
SECRET = "secret words"


@pytest.fixture(autouse=True)
async def voice_setup(hass: HomeAssistant) -> None:
    """Set up voice devices without speech."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "assist_satellite", {})


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Announce without an engine for speech."""

    async def resolve(_: object, message: str, *__: object, **___: object) -> object:
        return SimpleNamespace(message=message)

    monkeypatch.setattr(Satellite, "_resolve_announcement_media_id", resolve)


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return the settings of an agent with a session for each device."""
    return BY_DEVICE


def _owner(**ids: object) -> dict[str, object]:
    """Return an owner as it is stored."""
    return {"listener": ids, "agent": "main", "shared": False}


@dataclass
class Home:
    """Home with a satellite in the kitchen, and its Gateway."""

    hass: HomeAssistant
    entry: MockConfigEntry
    gateway: GatewaySimulator
    conversation: Conversation
    kitchen: Satellite
    device: str

    @property
    def notifications(self) -> list[str]:
        """Return the texts that Home Assistant itself shows."""
        shown = self.hass.data.get("persistent_notification", {})
        return [notification["message"] for notification in shown.values()]

    @property
    def delivered(self) -> tuple[list[str], list[str]]:
        """Return announcements and notifications."""
        return self.kitchen.said, self.notifications

    @property
    def listeners(self) -> SessionListeners:
        """Return the listeners of the sessions."""
        return get_listeners(self.entry)

    async def ask(self, device: str | None = None, user: str | None = None) -> str:
        """Ask something, in the kitchen by default; return the session."""
        device = None if user else device or self.device
        self.gateway.script_once(Reply("It is on."))
        await self.conversation.say("Hello", device=device, user=user)
        [run] = [*self.gateway.runs.by_id.values()][-1:]
        return run.session.key

    async def spawn(self, *child: Step, completion: str = "The report is done.") -> str:
        """Have the agent start a sub-agent; return the session."""
        step = Spawn(child or Spawn().child, (Reply(completion),))
        self.gateway.script_once(step, Reply("I started it."))
        await self.conversation.say("Look it up", device=self.device)
        return next(key for key in self.gateway.runs.sessions if ":ha-" in key)

    async def run_unsolicited(
        self, key: str, text: str = "Done.", run_id: str = ""
    ) -> None:
        """Let the Gateway run something by itself, and wait for the delivery."""
        run_id = run_id or f"image_generate:{uuid.uuid4()}:ok:agent-loop"
        run = self.gateway.run("?", Reply(text), session_key=key, run_id=run_id)
        await run.done.wait()
        await self.wait_delivered()

    async def run_job(self, key: str, **more: object) -> None:
        """Send the event of a scheduled job that has run."""
        event = {
            "jobId": "j",
            "action": "finished",
            "job": {"id": "j", "sessionTarget": f"session:{key}"},
            "status": "ok",
            "summary": "Good morning.",
            "delivered": False,
            "sessionKey": key,
            "runAtMs": 1795903230596,
            **more,
        }
        self.gateway.broadcast("cron", event)
        await self.wait_delivered()

    async def finish_runs(self, count: int) -> None:
        """Wait until so many runs have ended, and their replies are delivered."""
        gateway = self.gateway
        await gateway.wait_until(lambda: len(gateway.runs.by_id) == count)
        await gateway.wait_until(lambda: not gateway.runs.active())
        await self.wait_delivered()

    async def wait_delivered(self) -> None:
        """Wait until everything is delivered."""
        await wait_processed(self.entry)
        while tasks := self.entry.runtime_data.background_tasks:
            await next(iter(tasks))
            await self.hass.async_block_till_done()


@pytest.fixture
async def home(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    conversation: Conversation,
    satellite: str,
) -> Home:
    """Return the home."""
    kitchen = await add(hass, Satellite(), satellite)
    return Home(hass, entry, gateway, conversation, kitchen, satellite)


@pytest.mark.parametrize("protocol", [3, 4])
async def test_the_end_of_a_sub_agent_is_announced_where_it_was_asked_for(
    home: Home,
) -> None:
    await home.spawn(completion="**The** report is done.")
    await home.finish_runs(3)

    assert home.delivered == (["The report is done."], [])
    assert (home.listeners.spawns, home.listeners.unfinished) == ({}, {})


async def test_a_finished_picture_is_announced_once(home: Home) -> None:
    key = await home.ask()
    run_id = "image_generate:39254929-b189:ok:agent-loop"

    for _ in range(2):
        await home.run_unsolicited(key, "The picture is done.", run_id)

    assert home.delivered == (["The picture is done."], [])


async def test_a_long_report_does_not_block_the_event_loop(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def read(text: str) -> str:
        threads.append(threading.get_ident())
        return spoken_reply(text)

    monkeypatch.setattr(unsolicited, "spoken_reply", read)
    key = await home.ask()

    await home.run_unsolicited(key, "**Short.**")
    await home.run_unsolicited(key, "Long. " * unsolicited.MAX_READ_AT_ONCE)

    short, long = threads
    assert short == threading.get_ident() != long
    assert len(home.kitchen.said) == 2


async def test_a_scheduled_job_is_announced_once(home: Home) -> None:
    key = await home.ask()

    # Its run has an id as any other; the event tells what it is.
    await home.run_unsolicited(key, "Good morning.", str(uuid.uuid4()))
    for _ in range(2):
        await home.run_job(key)
    await home.run_job(key, runAtMs=1795989630596)

    assert home.delivered == (["Good morning."] * 2, [])


@pytest.mark.parametrize(
    "more",
    [
        {"action": "started"},
        {"status": "error"},
        {"sessionKey": "agent:main:main"},
        {"delivered": True},
        {"summary": None},
    ],
)
async def test_other_events_of_scheduled_jobs_say_nothing(
    home: Home, more: dict[str, Any]
) -> None:
    key = await home.ask()

    await home.run_job(key, **more)

    assert home.delivered == ([], [])


@pytest.mark.parametrize(
    ("protocol", "run_id"),
    [
        # Of a person in the Control UI, on both Gateways.
        (4, "fb14f249-f567-4ce8-baf0-4d21df913da5"),
        (3, "815c04f7-6dc3-4e38-b320-08446175816e"),
        # Of another Home Assistant.
        (4, "0123456789abcdef0123456789abcdef"),
    ],
)
async def test_what_another_client_asks_is_not_announced(
    home: Home, run_id: str
) -> None:
    key = await home.ask()

    await home.run_unsolicited(key, run_id=run_id)

    assert home.delivered == ([], [])


@pytest.mark.parametrize("protocol", [3])
@pytest.mark.parametrize(
    ("run_id", "parent"),
    [
        # Of another Home Assistant, while a sub-agent of ours has ended.
        ("0123456789abcdef0123456789abcdef", None),
        # Of a person, while a sub-agent of another session has ended.
        ("815c04f7-6dc3-4e38-b320-08446175816e", "agent:main:main"),
    ],
)
async def test_clawdbot_tells_a_completion_by_the_end_of_a_sub_agent(
    home: Home, run_id: str, parent: str | None
) -> None:
    key = await home.ask()
    child = home.gateway.run("?", Reply("x"), session_key="agent:main:subagent:1")
    child.session.spawned_by = parent or key
    await child.done.wait()

    await home.run_unsolicited(key, run_id=run_id)

    assert home.delivered == ([], [])


@pytest.mark.parametrize("protocol", [3])
async def test_ended_sub_agents_of_others_are_forgotten(home: Home) -> None:
    key = await home.ask()
    for number in range(40):
        child = f"agent:main:subagent:{number}"
        run = home.gateway.run("?", Reply("x"), session_key=child)
        run.session.spawned_by = key
        await run.done.wait()
    # Only the last 32 are known.
    home.gateway.runs.sessions = {
        key: session
        for key, session in home.gateway.runs.sessions.items()
        if not key.endswith(tuple(f":{number}" for number in range(8, 40)))
    }

    await home.run_unsolicited(key, run_id=str(uuid.uuid4()))

    assert home.delivered == ([], [])


async def test_runs_in_sessions_of_others_are_not_announced(home: Home) -> None:
    await home.ask()

    # Also those of `clawd.start_task`, and of throw-away sessions.
    await home.run_unsolicited("agent:main:main")

    assert home.delivered == ([], [])


@pytest.mark.parametrize(
    "text",
    ["NO_REPLY", "HEARTBEAT_OK", "ANNOUNCE_SKIP", "<think>Hm", "…", "```\nx\n```"],
)
async def test_a_reply_that_says_nothing_is_not_announced(
    home: Home, text: str
) -> None:
    key = await home.ask()

    await home.run_unsolicited(key, text)

    assert home.delivered == ([], [])
    assert spoken_reply(text) == ""


async def test_a_question_is_asked(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await home.ask()
    pipeline = SimpleNamespace(conversation_engine="conversation.main")
    target = "homeassistant.components.assist_satellite.entity.async_get_pipeline"
    monkeypatch.setattr(target, lambda *_: pipeline)

    await home.run_unsolicited(key, "It is done. Shall I go on?")

    assert home.delivered == ([], [])
    assert home.kitchen.asked == ["It is done. Shall I go on?"]


async def test_what_was_just_told_is_not_told_again(home: Home) -> None:
    key = await home.ask()

    await home.run_unsolicited(key, "It is **on**.")
    assert home.delivered == ([], [])
    await home.run_unsolicited(key, "It is off.")
    assert home.delivered == (["It is off."], [])


@pytest.mark.parametrize("agent_settings", [{"session_scope": "user"}])
async def test_a_user_is_notified(home: Home, hass_admin_user: MockUser) -> None:
    key = await home.ask(user=hass_admin_user.id)

    await home.run_unsolicited(key, run_id="image_generate:39254929:error:agent-loop")

    assert home.delivered == ([], ["Done."])


@pytest.mark.parametrize(
    "agent_settings", [SHARED, {"session_scope": "named", "session_name": "home"}]
)
@pytest.mark.parametrize(
    ("protocol", "told"),
    [
        # Clawdbot does not tell which run has started a sub-agent.
        (3, ([], ["The report is done."])),
        (4, (["The report is done."], [])),
    ],
)
async def test_in_a_shared_session_only_who_started_the_sub_agent_hears_its_end(
    home: Home, told: tuple[list[str], list[str]]
) -> None:
    bath = await add(home.hass, Satellite("bath"), None)
    await home.spawn(Reply("the child is done"), Pause())
    await home.gateway.wait_paused()

    # Somebody else asks in the same session before it ends.
    await home.ask(bath.entity_id)
    home.gateway.proceed()
    await home.finish_runs(4)

    assert bath.said == []
    assert home.delivered == told


@pytest.mark.parametrize("agent_settings", [SHARED])
async def test_a_job_in_a_shared_session_is_for_nobody_in_particular(
    home: Home,
) -> None:
    await home.run_job(await home.ask())

    assert home.delivered == ([], ["Good morning."])


@pytest.mark.parametrize("agent_settings", [SHARED])
async def test_a_sub_agent_that_nobody_is_known_to_have_started(home: Home) -> None:
    key = await home.ask()

    await home.run_unsolicited(key, run_id="announce:v1:agent:main:subagent:1:2")

    assert home.delivered == ([], ["Done."])


async def test_a_completion_in_a_queued_run_is_told_once(home: Home) -> None:
    key = await home.ask()
    run_id = "announce:v1:agent:main:subagent:1:2"

    for suffix in ("", ":agent-loop"):
        await home.run_unsolicited(key, run_id=run_id + suffix)

    assert home.delivered == (["Done."], [])


async def test_what_was_missed_while_disconnected_is_told_once(home: Home) -> None:
    await home.spawn(Pause())
    await home.gateway.wait_paused()
    client = home.entry.runtime_data.client
    home.gateway.refuse(Refusal.STARTING)
    home.gateway.drop()
    await wait_for_state(home.hass, CONNECTIVITY, "off")
    home.gateway.proceed()
    await home.gateway.wait_until(lambda: len(home.gateway.runs.by_id) == 3)
    await home.gateway.wait_until(lambda: not home.gateway.runs.active())
    assert home.delivered == ([], [])

    for _ in range(2):
        home.gateway.refuse(None)
        await client.wait_connected()
        await home.wait_delivered()
        home.gateway.drop()
        await wait_for_state(home.hass, CONNECTIVITY, "off")

    assert home.delivered == (["The report is done."], [])


async def test_a_sub_agent_that_goes_on_is_waited_for(home: Home) -> None:
    await home.spawn(Pause())
    await home.gateway.wait_paused()
    home.gateway.drop()
    await wait_for_state(home.hass, CONNECTIVITY, "off")
    await home.entry.runtime_data.client.wait_connected()
    await home.wait_delivered()
    assert (home.delivered, len(home.listeners.spawns)) == (([], []), 1)

    home.gateway.proceed()
    await home.finish_runs(3)

    assert home.delivered == (["The report is done."], [])


async def test_a_gateway_that_refuses_its_history_costs_nothing(home: Home) -> None:
    await home.spawn(Pause())
    await home.gateway.wait_paused()
    home.gateway.refuse_method("chat.history")
    home.gateway.drop()
    await wait_for_state(home.hass, CONNECTIVITY, "off")
    await home.entry.runtime_data.client.wait_connected()
    await home.wait_delivered()

    home.gateway.proceed()
    await home.finish_runs(3)

    assert home.delivered == (["The report is done."], [])


async def test_a_reload_loses_no_sub_agent(home: Home) -> None:
    await home.spawn(Pause())
    await home.gateway.wait_paused()
    await home.wait_delivered()

    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    home.gateway.proceed()
    await home.gateway.wait_until(lambda: len(home.gateway.runs.by_id) == 3)
    await home.gateway.wait_until(lambda: not home.gateway.runs.active())
    assert await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.wait_delivered()

    assert home.delivered == (["The report is done."], [])


async def test_a_reload_in_the_middle_leaves_a_notification(home: Home) -> None:
    key = await home.ask()
    home.kitchen.may_end.clear()
    run_id = "image_generate:1:ok:agent-loop"
    home.gateway.run("?", Reply("Done."), session_key=key, run_id=run_id)
    await home.kitchen.begun.wait()

    for _ in range(2):
        assert await home.hass.config_entries.async_reload(home.entry.entry_id)
        await home.wait_delivered()

    # It was cut off in the middle, so it is not said once more.
    assert home.delivered == ([], ["Done."])
    await home.run_unsolicited(key, run_id=run_id)
    assert home.delivered == ([], ["Done."])


@pytest.mark.parametrize(
    "stored",
    [
        [],
        {"owners": [], "spawns": 1, "delivered": {}, "unfinished": None},
        {
            "owners": {"a": 1, "b": {}, "c": _owner(device_id=1), "d": _owner(x="y")},
            "spawns": {
                "a": {"owner": {}, "session_key": "x"},
                "b": {"owner": _owner(), "session_key": "x", "at": "now"},
            },
            "delivered": [1, None],
            "unfinished": {"a": {"text": "x"}},
        },
    ],
)
async def test_a_store_that_was_edited_by_hand_is_read_as_far_as_possible(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    stored: object,
) -> None:
    key = f"clawd.listeners.{new_entry.entry_id}"
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": stored}

    assert await hass.config_entries.async_setup(new_entry.entry_id)

    listeners = get_listeners(new_entry)
    assert (listeners.owners, listeners.spawns, listeners.delivered) == ({}, {}, {})


async def test_what_is_kept_is_bounded(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    listeners, owner = home.listeners, Owner(Listener(), "main")
    result = RunResult("r", "", completions=tuple(map(str, range(200))))
    for number in range(300):
        listeners.async_asked(str(number), owner)
        listeners.async_answered(str(number), owner, replace(result, completions=()))
        listeners.claim(f"image-{number}")
        listeners.claim(f"other-{number}")
    listeners.async_answered("300", owner, result)
    assert len(listeners.claimed) == 512
    assert listeners.claim("image-0")
    assert not listeners.claim("other-299")
    listeners.delivered.update(dict.fromkeys(map(str, range(600)), 1))
    await home.wait_delivered()
    assert len(listeners.owners) == 256
    assert len(listeners.spawns) == 128
    assert len(listeners.delivered) == 512

    monkeypatch.setattr(listener_module, "MAX_SPAWN_AGE", -1)
    await listeners.async_save()
    assert listeners.spawns == {}


async def test_listeners_are_removed_with_their_entry(
    home: Home, hass_storage: dict[str, Any]
) -> None:
    await home.ask()
    await home.wait_delivered()
    key = f"clawd.listeners.{home.entry.entry_id}"
    assert home.device in str(hass_storage[key])

    await home.hass.config_entries.async_remove(home.entry.entry_id)
    assert key not in hass_storage


async def test_the_diagnostics_count_announcements_without_their_texts(
    home: Home, download: Download
) -> None:
    key = await home.ask()
    assert await home.ask() == key
    await home.run_unsolicited(key, "The secret is out.")
    home.kitchen.go(available=False)
    await home.run_unsolicited(key, "Another secret.")

    document = await download()

    assert json.loads(document)["data"]["announcements"] == {
        "delivered": {"announced": 1, "notification": 1},
        "failures": {"device_unavailable": 1, "no_speech_engine": 1},
        "pending": 0,
        "sessions": 1,
        "sub_agents": 0,
        "unfinished": 0,
        "quiet": False,
    }
    for secret in ("secret", key, home.device):
        assert secret not in document


async def _start(hass: HomeAssistant) -> None:
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()


async def test_the_end_of_a_sub_agent_waits_for_the_voice_device(home: Home) -> None:
    await home.spawn(Pause())
    await home.gateway.wait_paused()
    await home.wait_delivered()
    hass, entry_id = home.hass, home.entry.entry_id
    assert await hass.config_entries.async_unload(entry_id)
    home.gateway.proceed()
    await home.gateway.wait_until(lambda: len(home.gateway.runs.by_id) == 3)
    await home.gateway.wait_until(lambda: not home.gateway.runs.active())
    home.kitchen.go(available=False)
    hass.set_state(CoreState.starting)

    assert await hass.config_entries.async_setup(entry_id)
    await home.gateway.wait_for_request("chat.history")
    await wait_processed(home.entry)
    assert home.delivered == ([], [])
    home.kitchen.go(available=True)
    await _start(hass)
    await home.wait_delivered()

    assert home.delivered == (["The report is done."], [])


async def test_what_was_cut_off_waits_for_the_phone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    hass, listeners = home.hass, home.listeners
    owner = Owner(Listener(user_id="ada"), "main")
    listeners.unfinished["r"] = Message(owner, "It is done.")
    await listeners.async_save()
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    shown: list[str] = []

    def show(call: ServiceCall) -> None:
        shown.append(call.data["message"])

    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(home.entry.entry_id)
    await hass.async_block_till_done()
    hass.services.async_register("notify", "phone", show)
    monkeypatch.setattr(
        notifications, "find_notify_actions", lambda *_: [("phone", {})]
    )
    await _start(hass)
    await home.wait_delivered()

    assert (shown, home.notifications) == (["It is done."], [])


async def test_an_unexpected_exception_is_logged_without_content(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = await home.ask()

    def fail(_: str) -> str:
        raise ValueError(SECRET)

    with monkeypatch.context() as patch:
        patch.setattr(unsolicited, "spoken_reply", fail)
        await home.run_unsolicited(key)
    await home.run_unsolicited(key)

    assert home.delivered == (["Done."], [])
    assert "ValueError" in caplog.text
    assert SECRET not in caplog.text
