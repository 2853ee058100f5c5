"""Unsolicited replies of agents.

A sub-agent ends, a picture is finished, a scheduled job runs. On OpenClaw, the id of
the run or an event tells which it is; Clawdbot's runs have plain ids, and only those
that follow the end of a sub-agent are told. What another client asks in a session of
ours is told there.
"""

from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from functools import partial
from math import inf
import re
import time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN, LOGGER
from ..coordinator import async_create_background_task
from ..device_automation.events import AgentEvent, async_fire_agent_event
from ..gateway import COMPLETION_PREFIX, ConnectionState, GatewayError
from ..home.announcements import Delivery, Listener, async_deliver, async_wait_for_start
from ..home.notifications import async_notify_user
from ..sentences import async_get_text
from ..util.bounded import remember
from ..util.subscriptions import combine_unsubscribes
from .errors import log_unexpected
from .listeners import MAX_TOLD_AGE, Message, Owner, SessionListeners, text_digest
from .media import async_describe_media
from .questions import is_question
from .reply import ReplyFilter, has_words
from .speech import speakable
from .throwaway import async_delete_later, is_in_use, own_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..coordinator import ClawdConfigEntry
    from ..gateway import Event, ForeignRun, Json, Payload, Transition

# Characters that are read in the event loop.
MAX_READ_AT_ONCE: Final = 8000
# Ends of sub-agents whose completion is to come (v3).
MAX_SUBAGENTS: Final = 32
# Runs of scheduled jobs without an id.
MAX_JOBS: Final = 32
# Characters of an id; those of OpenClaw have up to 80.
MAX_ID: Final = 128
CRON: Final = "cron"
SUBAGENT: Final = ":subagent:"
TASK_NAME: Final = f"{DOMAIN} unsolicited reply"

# image_generate:<task>:ok:agent-loop
_GENERATED: Final = re.compile(
    r"[a-z]{1,20}_generate:(?P<task>[^:]+)(?P<made>:ok)?(?::.*)?"
)
# OpenClaw may tell of an end in a run with this suffix, after one without.
_QUEUED_SUFFIX: Final = ":agent-loop"
# Ids that we, or another Home Assistant, have given to a run.
_OUR_RUN: Final = re.compile(r"[0-9a-f]{32}")


class UnsolicitedReplies:
    """Delivery of unsolicited replies."""

    def __init__(
        self, hass: HomeAssistant, entry: ClawdConfigEntry, listeners: SessionListeners
    ) -> None:
        """Initialize; `async_start()` comes next."""
        self._hass = hass
        self._entry = entry
        self._client = entry.runtime_data.client
        self._listeners = listeners
        self._throwaway = own_prefix(entry)
        # Sessions of sub-agents that have ended (v3).
        self._ended: OrderedDict[str, None] = OrderedDict()
        # Runs of jobs without an id, with their last time: by job and text.
        self._jobs: OrderedDict[str, tuple[str, float]] = OrderedDict()

    @callback
    def async_start(self) -> Callable[[], None]:
        """Start tracking; return the stop function."""
        unsubscribe = combine_unsubscribes(
            self._client.follow_runs(self),
            self._client.subscribe(CRON, self._handle_cron),
            self._client.subscribe_state(self._handle_transition),
        )
        if self._listeners.unfinished:
            self._spawn(self._async_finish_deliveries())
        self._recover()
        return unsubscribe

    def is_followed(self, session_key: str) -> bool:
        """Return whether a session is followed."""
        if session_key in self._listeners.owners or self._throwaway in session_key:
            return True
        return self._has_plain_ids and SUBAGENT in session_key

    def run_ended(self, run: ForeignRun) -> None:
        """Deliver the reply of a run."""
        if self._throwaway in run.session_key:
            self._delete_again(run.session_key)
        elif run.session_key not in self._listeners.owners:
            remember(self._ended, run.session_key, None, MAX_SUBAGENTS)
        elif self._has_plain_ids:
            if self._ended and not _OUR_RUN.fullmatch(run.run_id):
                self._spawn(self._async_take_plain(run))
        elif owner := self._owner_of(run):
            run_id = run.run_id.removesuffix(_QUEUED_SUFFIX)
            self._spawn(
                self._async_deliver(run_id, run.session_key, owner, run.text, run.media)
            )

    def _delete_again(self, session_key: str) -> None:
        """Delete the session of an ended task.

        The end of a sub-agent has made it anew.
        """
        if not is_in_use(self._entry, session_key):
            async_delete_later(self._hass, self._entry, (session_key,))

    @property
    def _has_plain_ids(self) -> bool:
        """Return whether run ids are not descriptive (v3)."""
        hello = self._client.hello
        return hello is not None and not hello.names_runs

    def _owner_of(self, run: ForeignRun) -> Owner | None:
        """Return the owner of a run, if any."""
        if run.run_id.startswith(COMPLETION_PREFIX):
            spawn = self._listeners.spawns.get(run.run_id.removesuffix(_QUEUED_SUFFIX))
            return spawn.owner if spawn else self._present_owner(run.session_key)
        if generated := _GENERATED.fullmatch(run.run_id):
            # A chat shows it or waits for it: no message.
            if generated["task"] in self._listeners.claimed:
                return None
            return self._present_owner(run.session_key)
        return None

    def _present_owner(self, session_key: str) -> Owner:
        """Return the owner of a session.

        A shared session has no particular user.
        """
        owner = self._listeners.owners[session_key]
        if not owner.shared:
            return owner
        listener = Listener(language=owner.listener.language)
        return replace(owner, listener=listener, shared=False)

    @callback
    def _handle_cron(self, event: Event) -> None:
        """Deliver the result of a scheduled job."""
        # {"action": "finished", "status": "ok", "jobId": …, "runAtMs": …,
        # "sessionKey": …, "summary": "good morning", "delivered": false}
        match event.payload:
            case {
                "action": "finished",
                "status": "ok",
                "sessionKey": str(key),
                "summary": str(text),
                **others,
            } if key in self._listeners.owners and others.get("delivered") is not True:
                run_id = self._job_run_id(key, text, others)
                owner = self._present_owner(key)
                self._spawn(self._async_deliver(run_id, key, owner, text))

    def _job_run_id(self, session_key: str, text: str, details: Payload) -> str:
        """Return the id of a run of a scheduled job."""
        job = details.get("jobId")
        job_id = job if isinstance(job, str) else session_key
        for name in ("runAtMs", "runId"):
            if run := _as_id(details.get(name)):
                return f"{CRON}:{job_id}:{run}"
        # Nothing tells the runs apart but the time: the same text is soon a repetition,
        # but the next day another run.
        now, said = time.monotonic(), f"{job_id}:{text_digest(text)}"
        run, at = self._jobs.get(said, ("", -inf))
        if now - at > MAX_TOLD_AGE:
            run = uuid4().hex
        remember(self._jobs, said, (run, now), MAX_JOBS)
        return f"{CRON}:{job_id}:{run}"

    @callback
    def _handle_transition(self, transition: Transition) -> None:
        if transition.state is ConnectionState.CONNECTED:
            self._recover()

    def _recover(self) -> None:
        if self._listeners.spawns:
            self._spawn(self._async_recover())

    async def _async_recover(self) -> None:
        """Deliver the ends missed while disconnected."""
        sessions = {spawn.session_key for spawn in self._listeners.spawns.values()}
        for key in sessions:
            with suppress(GatewayError):
                replies = await self._client.fetch_replies(key)
                await self._async_deliver_found(key, replies)

    async def _async_deliver_found(
        self, session_key: str, replies: dict[str, str]
    ) -> None:
        for run_id, text in replies.items():
            completion = run_id.removesuffix(_QUEUED_SUFFIX)
            if spawn := self._listeners.spawns.get(completion):
                await self._async_deliver(completion, session_key, spawn.owner, text)

    async def _async_take_plain(self, run: ForeignRun) -> None:
        """Deliver the reply to a sub-agent's end (v3)."""
        with suppress(GatewayError):
            children = await self._client.sessions.spawned_by(run.session_key)
            ended = [child for child in children if child in self._ended]
            for child in ended:
                del self._ended[child]
            if ended:
                owner = self._present_owner(run.session_key)
                await self._async_deliver(
                    run.run_id, run.session_key, owner, run.text, run.media
                )

    async def _async_finish_deliveries(self) -> None:
        """Finish deliveries interrupted by a restart.

        They may have been heard in part.
        """
        unfinished = self._listeners.unfinished
        # Only those of earlier setups.
        cut_off = tuple(unfinished.items())
        await async_wait_for_start(self._hass)
        for run_id, message in cut_off:
            user_id = message.owner.listener.user_id
            await async_notify_user(
                self._hass, user_id, message.text, message.owner.agent
            )
            unfinished.pop(run_id, None)
            self._fire(run_id, message.owner, Delivery.NOTIFICATION)
        await self._listeners.async_save()

    async def _async_deliver(
        self,
        run_id: str,
        session_key: str,
        owner: Owner,
        text: str,
        media: tuple[str, ...] = (),
    ) -> None:
        try:
            await self._async_deliver_once(run_id, session_key, owner, text, media)
        except Exception as err:  # noqa: BLE001 - the next reply may be told
            # The stored message is shown after the next setup.
            log_unexpected(err)

    async def _async_deliver_once(
        self,
        run_id: str,
        session_key: str,
        owner: Owner,
        text: str,
        media: tuple[str, ...],
    ) -> None:
        """Deliver a reply once.

        As speech; its media in a notification. Chats have it with links and code.
        """
        listeners, listener = self._listeners, owner.listener
        if run_id in listeners.delivered:
            return
        listeners.delivered[run_id] = 0
        listeners.spawns.pop(run_id, None)
        read = shown_reply if listener.device_id is None else spoken_reply
        if len(text) > MAX_READ_AT_ONCE:
            message = await self._hass.async_add_executor_job(read, text)
        else:
            message = read(text)
        if media and not message:
            message = await async_get_text(self._hass, listener.language, "media_only")
        if not message or listeners.has_replied(session_key, message):
            await listeners.async_save()
            return
        generated = _GENERATED.fullmatch(run_id)
        listeners.unfinished[run_id] = Message(owner, message)
        # Save first: do not repeat it after a restart.
        await listeners.async_save()
        listeners.delivered[run_id] += 1
        delivery = await async_deliver(
            self._hass,
            self._entry,
            listener,
            message,
            question=is_question(message, listener.language),
            title=owner.agent,
            media=partial(
                async_describe_media,
                self._hass,
                self._entry,
                session_key,
                listener,
                media,
                made_by=generated["task"] if generated and generated["made"] else None,
            ),
        )
        listeners.unfinished.pop(run_id, None)
        self._fire(run_id, owner, delivery)
        await listeners.async_save()

    @callback
    def _fire(self, run_id: str, owner: Owner, delivery: Delivery) -> None:
        """Fire the event of a message."""
        LOGGER.debug("Unsolicited reply: %s, %s", _source(run_id), delivery)
        # The agent may have been deleted since.
        if subentry := self._entry.subentries.get(owner.subentry_id or ""):
            async_fire_agent_event(
                self._hass,
                self._entry,
                subentry,
                AgentEvent.MESSAGE_FROM_ELSEWHERE,
                {"source": _source(run_id), "delivery": delivery.value},
            )

    def _spawn(self, target: Coroutine[None, None, None]) -> None:
        async_create_background_task(self._hass, self._entry, target, TASK_NAME)


def _as_id(value: Json) -> str:
    """Return a usable id, or an empty text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.0f}" if value >= 1 else ""
    return value if isinstance(value, str) and len(value) <= MAX_ID else ""


def _source(run_id: str) -> str:
    """Return the source of a run.

    The id itself is not told: it may hold the key of a session.
    """
    if run_id.startswith(f"{CRON}:"):
        return "job"
    return "media" if _GENERATED.fullmatch(run_id) else "subagent"


def shown_reply(text: str) -> str:
    """Return a reply as text.

    Empty if it says nothing.
    """
    reply = ReplyFilter()
    shown = (reply.feed(text) + reply.finish()).strip()
    # An unfinished thought is not a reply.
    return shown if has_words(shown) and not reply.thinking else ""


def spoken_reply(text: str) -> str:
    """Return a reply as speech.

    Empty if it says nothing.
    """
    spoken = speakable(shown_reply(text)).strip()
    return spoken if has_words(spoken) else ""
