"""Stopping of runs."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..const import LOGGER
from ..gateway import GatewayError
from ..sentences import Sentence, async_get_sentence, async_get_text
from .errors import translated_error
from .handoff import async_follow_late
from .handoff_store import get_handoffs
from .ongoing import get_ongoing
from .ongoing_run import STOP_TIMEOUT, async_abort_run
from .phrases import bare_command, bare_phrase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry, ClawdRuntime
    from ..gateway import AgentRun, GatewayClient
    from .ongoing_run import OngoingRun
    from .question import Question

# Whole utterances, in any case and without marks. They count only while there is
# something to stop, so those of all languages do.
STOP_PHRASES: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "stop",
        "stop it",
        "stop that",
        "stop this",
        "stop now",
        "stop doing that",
        "cancel",
        "cancel it",
        "cancel that",
        "cancel this",
        "abort",
        "abort that",
        "never mind",
        "never mind that",
        "nevermind",
        "forget it",
    ),
    "de": (
        "stopp",
        "halt",
        "hör auf",
        "hör damit auf",
        "hör auf damit",
        "aufhören",
        "stoppe",
        "stoppe das",
        "stopp das",
        "stop das",
        "brich ab",
        "brich das ab",
        "abbrechen",
        "abbruch",
        "lass das",
        "lass es",
        "lass mal",
        "lass gut sein",
        "halt stopp",
        "vergiss es",
        "vergiss das",
        "schon gut",
    ),
    "es": (
        "para",
        "para ya",
        "para eso",
        "páralo",
        "detente",
        "detén eso",
        "cancela",
        "cancélalo",
        "cancelar",
        "déjalo",
        "olvídalo",
        "basta",
    ),
    "fr": (
        "arrête",
        "arrête ça",
        "arrête tout",
        "stop ça",
        "arrête-toi",
        "arrêtez",
        "annule",
        "annule ça",
        "annuler",
        "laisse tomber",
        "oublie",
        "ça suffit",
    ),
    "nl": (
        "stop daarmee",
        "stop dat",
        "stop ermee",
        "hou op",
        "houd op",
        "hou daarmee op",
        "annuleer",
        "annuleer dat",
        "annuleren",
        "laat maar",
        "laat maar zitten",
        "vergeet het",
    ),
}
_PHRASES: Final = frozenset(
    phrase for phrases in STOP_PHRASES.values() for phrase in phrases
)


@dataclass(frozen=True, slots=True)
class StopReport:
    """Result of stopping runs.

    Attributes:
        runs: how many there were.
        unconfirmed: runs that the Gateway has not confirmed as stopped.
        sub_agents: tasks of their agents that go on; None if the Gateway has not told.
        actions: actions in the home that they had begun.

    """

    runs: int = 0
    unconfirmed: int = 0
    sub_agents: int | None = 0
    actions: int = 0


def is_stop(text: str, *, asked: bool = False) -> bool:
    """Return whether an utterance means stop.

    `asked`: it may be an answer, as "no, stop it" is.
    """
    phrase = bare_phrase(text)
    return (phrase if asked else bare_command(phrase)) in _PHRASES


def runs_to_stop(entry: ClawdConfigEntry, question: Question) -> tuple[OngoingRun, ...]:
    """Return the runs to stop.

    Those of the speaking device, conversation or user.
    """
    return tuple(
        run for run in get_ongoing(entry).all if _is_of(run.question, question)
    )


async def async_stop(
    hass: HomeAssistant, entry: ClawdConfigEntry, runs: Iterable[OngoingRun]
) -> StopReport:
    """Stop runs and their sub-agents.

    Return the result.
    """
    stopping = tuple(runs)
    keys = {run.session_key for run in stopping if run.run}
    actions = _count_actions(entry.runtime_data, keys)
    # Concurrently: the user waits for the result.
    sub_agents, *stopped = await asyncio.gather(
        _async_cancel_tasks(entry.runtime_data.client, keys),
        *(run.async_stop() for run in stopping),
    )
    LOGGER.debug(
        "%s of %s runs stopped, sub-agents in progress: %s, actions in progress: %s",
        stopped.count(True),
        len(stopping),
        "unknown" if sub_agents is None else sub_agents,
        actions,
    )
    for run in stopping:
        async_follow_late(hass, entry, run)
    return StopReport(len(stopping), stopped.count(False), sub_agents, actions)


async def async_abort(
    runtime: ClawdRuntime, run: AgentRun, *, alone: bool
) -> StopReport:
    """Abort the run of a task.

    And its sub-agents, if it is alone in its session: they are its own then.
    """
    actions = _count_actions(runtime, {run.session_key})
    sub_agents, stopped = await asyncio.gather(
        _async_cancel_tasks(runtime.client, {run.session_key} if alone else set()),
        async_abort_run(run),
    )
    return StopReport(1, int(not stopped), sub_agents, actions)


def agent_of_task(entry: ClawdConfigEntry, task_id: str) -> str | None:
    """Return the agent of a handed-off task; None if there is no such task."""
    agents = {run.id: run.subentry.subentry_id for run in get_ongoing(entry).all}
    handoffs = get_handoffs(entry).open.values()
    agents |= {handoff.id: handoff.subentry_id for handoff in handoffs}
    return agents.get(task_id)


async def async_cancel(
    hass: HomeAssistant, entry: ClawdConfigEntry, task_id: str
) -> StopReport | None:
    """Stop a handed-off task.

    None if there is none.
    """
    runs = get_ongoing(entry)
    if found := [run for run in runs.all if run.id == task_id]:
        return await async_stop(hass, entry, found)
    return StopReport() if await runs.async_cancel(task_id) else None


def raise_if_unstopped(report: StopReport) -> None:
    """Raise if something may go on.

    Raises:
        HomeAssistantError: names the ones in progress.

    """
    keys = unstopped(report)
    if keys:
        raise translated_error(keys[0])


async def async_describe_stop(
    hass: HomeAssistant, language: str, report: StopReport
) -> str:
    """Return the sentence on the result."""
    texts = [await async_get_text(hass, language, key) for key in unstopped(report)]
    if not report.unconfirmed:
        texts.insert(0, await async_get_sentence(hass, language, Sentence.STOPPED))
    return " ".join(texts)


def unstopped(report: StopReport) -> list[str]:
    """Return the keys of what may go on."""
    counts = {
        "stop_unconfirmed": report.unconfirmed,
        "stop_sub_agents": report.sub_agents or 0,
        "stop_sub_agents_unknown": report.sub_agents is None,
        "stop_actions": report.actions,
    }
    return [key for key, count in counts.items() if count]


def _count_actions(runtime: ClawdRuntime, keys: set[str]) -> int:
    """Return the number of actions in the home that sessions have begun."""
    calls = runtime.node.host.open_calls if runtime.node else ()
    return sum(call.session_key in keys for call in calls)


async def _async_cancel_tasks(client: GatewayClient, keys: set[str]) -> int | None:
    """Cancel the tasks of agents.

    Return how many go on, as far as known; None if they are not known.
    """
    # Clawdbot (v3) has no list of tasks; its command stops sub-agents, too.
    methods = client.hello.methods if client.hello else ()
    if not keys or client.tasks.LIST.name not in methods:
        return 0
    left: set[str] | None = None
    with suppress(GatewayError, TimeoutError):
        async with asyncio.timeout(STOP_TIMEOUT):
            tasks = await client.tasks.active()
            left = {t.id for t in tasks if t.by_agent and t.session_key in keys}
            for task_id in tuple(left):
                with suppress(GatewayError):
                    if await client.tasks.cancel(task_id):
                        left.discard(task_id)
    return None if left is None else len(left)


def _is_of(asked: Question, question: Question) -> bool:
    """Return whether who says something has asked a question."""
    if asked.voice_device and question.voice_device:
        # All telephones have the same user, and so may the tablets on the walls.
        return asked.voice_device == question.voice_device
    return asked.conversation_id == question.conversation_id or _same(
        asked.user_id, question.user_id
    )


def _same(one: str | None, other: str | None) -> bool:
    return one is not None and one == other
