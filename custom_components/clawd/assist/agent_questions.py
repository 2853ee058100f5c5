"""Open questions of agents."""

from collections import Counter, OrderedDict, deque
import time
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import CONF_ASK_QUESTIONS, DOMAIN, LOGGER
from ..coordinator import async_create_background_task, find_runtime
from ..gateway import (
    REQUESTED,
    RESOLVED,
    AgentQuestion,
    ConnectionState,
    GatewayError,
    InvalidFrameError,
    QuestionStatus,
    RequestFailedError,
    ScopeStatus,
)
from ..home.announcements import Delivery, async_deliver
from ..util.bounded import remember
from ..util.subscriptions import combine_unsubscribes
from .answers import is_refusal, names_choice
from .handoff import async_hand_off
from .handoff_store import Handoff, get_handoffs
from .ongoing import get_ongoing
from .ongoing_run import OngoingRun
from .open_question import OpenQuestion, Taken
from .question_events import async_ask_automations, async_fire_opened
from .question_texts import async_describe_question
from .run_origins import RunOrigin, get_origins

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..coordinator import ClawdConfigEntry
    from ..gateway import Event, Transition
    from .run_origins import ConversationInfo

# Questions of unknown runs, in case one becomes ours.
MAX_UNMATCHED: Final = 32
# Ended questions; a list in transit may still name them.
MAX_ENDED: Final = 32
# Seconds for a run to go on after its question has expired.
EXPIRY_MARGIN: Final = 120.0

RUN_ENDED: Final = "run_ended"
GONE: Final = "gone"


class AgentQuestions:
    """Open questions of an entry's runs.

    Those of other clients are left to them.

    Attributes:
        open: by the id of the request.
        outcomes: how questions ended.
        others: number of questions of other clients.

    """

    def __init__(self, hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
        """Initialize without questions; `async_start()` comes next."""
        self._hass = hass
        self._entry = entry
        self._client = entry.runtime_data.client
        self.open: dict[str, OpenQuestion] = {}
        self.outcomes: Counter[str] = Counter()
        self.others = 0
        self._unmatched: OrderedDict[str, AgentQuestion] = OrderedDict()
        self._ended: deque[str] = deque(maxlen=MAX_ENDED)

    @callback
    def async_start(self) -> Callable[[], None]:
        """Subscribe to questions; return the unsubscribe."""
        origins = get_origins(self._entry)
        origins.on_start, origins.on_end = self._async_match, self._async_run_ended
        # Of runs from before a reload or restart, which are resumed later.
        name = f"{DOMAIN} open questions"
        async_create_background_task(self._hass, self._entry, self._async_fetch(), name)

        @callback
        def forget() -> None:
            origins.on_start = origins.on_end = None
            self.open.clear()

        return combine_unsubscribes(
            forget,
            self._client.subscribe(REQUESTED, self._async_requested),
            self._client.subscribe(RESOLVED, self._async_resolved),
            self._client.subscribe_state(self._async_connected),
        )

    def of_run(self, run_id: str) -> OpenQuestion | None:
        """Return the open question of a run."""
        return next(
            (one for one in self.open.values() if one.origin.run.run_id == run_id), None
        )

    def answered_by(
        self, subentry_id: str, question: ConversationInfo
    ) -> OpenQuestion | None:
        """Return the question answered by an utterance."""
        ours = (
            one
            for one in self.open.values()
            if one.origin.subentry.subentry_id == subentry_id
        )
        return next((one for one in ours if one.was_asked_in(question)), None)

    async def async_asked(
        self, one: OpenQuestion, run: OngoingRun | None = None
    ) -> None:
        """Record that the user was asked.

        `run` has no reader from now on.
        """
        one.asked_at, one.reader, one.unheard = time.monotonic(), False, False
        if run and one.request.id not in self.open:
            # Somebody else has answered, or the run has ended, in the meantime.
            self._async_hand_off(run)
        elif run:
            # After a reload, it is handed off and asks again.
            handoffs = get_handoffs(self._entry)
            await handoffs.async_put(self._hass, self._entry, Handoff.from_run(run))

    async def async_take(self, one: OpenQuestion, text: str) -> Taken:
        """Try an utterance as answer to a question.

        Raises:
            GatewayError: the Gateway did not answer; the question stays open.

        """
        if one.sending:
            return Taken.CLOSED
        named = names_choice(one.item, text)
        refused = is_refusal(text) and not named
        if not refused and not named and one.waited_long:
            return Taken.NO_ANSWER
        if not refused and not one.answer(text):
            # Once more; who is not understood twice is left alone.
            refused, one.repeated = one.repeated, True
            if not refused:
                return Taken.ASKED
        if not (refused or one.complete):
            return Taken.ASKED
        run, one.reader = self.ongoing(one), True
        if run and run.id not in get_ongoing(self._entry).handoffs:
            # The next question may come before the answer is confirmed.
            run.attach()
        try:
            await self.async_send(one, refused=refused)
        except RequestFailedError:
            self._async_detach(one, run)
            return Taken.CLOSED
        except BaseException:
            self._async_detach(one, run)
            raise
        if run and not run.detached:
            await self._async_forget(run)
        return Taken.DONE

    async def async_send(self, one: OpenQuestion, *, refused: bool = False) -> None:
        """Send the answers, or the refusal.

        The run goes on.

        Raises:
            RequestFailedError: the question was not open any more.
            GatewayError: the Gateway did not answer; the question stays open.

        """
        commands, question_id = self._client.questions, one.request.id
        one.sending = True
        try:
            if refused:
                await commands.cancel(question_id)
            else:
                await commands.resolve(question_id, one.answers)
        except RequestFailedError:
            self.async_close(question_id, GONE)
            raise
        except BaseException:
            one.answers.clear()
            raise
        finally:
            one.sending = False
        status = QuestionStatus.CANCELLED if refused else QuestionStatus.ANSWERED
        self.async_close(question_id, status)

    @callback
    def _async_detach(self, one: OpenQuestion, run: OngoingRun | None) -> None:
        """Detach the reader of a question's run."""
        one.reader = False
        if run and run.id not in get_ongoing(self._entry).handoffs:
            run.detach()
            if one.request.id not in self.open:
                self._async_hand_off(run)

    @callback
    def async_close(self, question_id: str, outcome: str) -> None:
        """Close a question."""
        self._unmatched.pop(question_id, None)
        self._ended.append(question_id)
        if (one := self.open.pop(question_id, None)) is None:
            return
        self.outcomes[outcome] += 1
        if (run := self.ongoing(one)) and run.detached and not one.reader:
            self._async_hand_off(run)

    @callback
    def _async_requested(self, event: Event) -> None:
        try:
            question = self._client.questions.read(event.payload)
        except InvalidFrameError:
            LOGGER.debug("A question of an agent cannot be read")
            return
        self._async_add(question)

    @callback
    def _async_add(self, question: AgentQuestion) -> None:
        if question.id in {*self.open, *self._unmatched, *self._ended}:
            return
        origin = get_origins(self._entry).find(question.run_id)
        # What is secret must not be said aloud: the dashboard of the Gateway asks it.
        if origin is None or any(item.is_secret for item in question.items):
            self.others += 1
            remember(self._unmatched, question.id, question, MAX_UNMATCHED)
            return
        self._async_open(OpenQuestion(question, origin))

    @callback
    def _async_match(self, origin: RunOrigin) -> None:
        """Open the questions of a registered run.

        They may arrive before their run is known.
        """
        for question in tuple(self._unmatched.values()):
            if question.run_id == origin.run.run_id:
                del self._unmatched[question.id]
                self.others -= 1
                self._async_add(question)

    @callback
    def _async_open(self, one: OpenQuestion) -> None:
        LOGGER.debug("Question %s asked by run %s", one.request.id, one.request.run_id)
        self.open[one.request.id] = one
        async_fire_opened(self._hass, self._entry, one)
        run = one.origin.run
        left = EXPIRY_MARGIN - one.late
        if (needed := run.info.age + left) > run.timeout:
            run.extend(needed)
        ongoing, asked = self.ongoing(one), one.origin.question
        if ongoing is None or asked is None or not asked.by_person:
            async_ask_automations(self._hass, one)
        elif ongoing.detached:
            self._async_deliver(one, asked)
        else:
            # Whoever reads the run asks the person.
            one.reader = True
            # What was said before is on its way to the reader.
            self._hass.loop.call_soon(ongoing.detach)

    @callback
    def _async_deliver(self, one: OpenQuestion, asked: ConversationInfo) -> None:
        """Ask the user after the run went on."""
        name = f"{DOMAIN} question of an agent"
        coroutine = self._async_ask(one, asked)
        async_create_background_task(self._hass, self._entry, coroutine, name)

    async def _async_ask(self, one: OpenQuestion, asked: ConversationInfo) -> None:
        text = await async_describe_question(
            self._hass, one.item, asked.language, spoken=asked.voice_device is not None
        )
        title = one.origin.subentry.title
        delivery = await async_deliver(
            self._hass, self._entry, asked.listener, text, question=True, title=title
        )
        await self.async_asked(one)
        one.unheard = delivery is Delivery.NOTIFICATION
        if one.unheard:
            # Whoever reads it cannot answer there, but an automation may.
            async_ask_automations(self._hass, one)

    @callback
    def _async_resolved(self, event: Event) -> None:
        match event.payload:
            case {"id": str(question_id), "status": str(status)}:
                self.async_close(question_id, _outcome(status))

    async def _async_connected(self, transition: Transition) -> None:
        """Fetch the open questions after a reconnect.

        Their events are lost.
        """
        if transition.state is ConnectionState.CONNECTED:
            await self._async_fetch()

    async def _async_fetch(self) -> None:
        if self._client.optional_scopes.status is not ScopeStatus.GRANTED:
            return
        try:
            questions = await self._client.questions.list()
        except GatewayError as err:
            LOGGER.debug("Open questions not fetched: %s", err.code)
            # The traceback would keep the lost connection alive.
            err.with_traceback(None)
            return
        known = {question.id for question in questions}
        for question_id in {*self.open, *self._unmatched} - known:
            self.async_close(question_id, GONE)
        for question in questions:
            self._async_add(question)

    @callback
    def _async_run_ended(self, origin: RunOrigin) -> None:
        for question_id, one in tuple(self.open.items()):
            if one.origin is origin:
                self.async_close(question_id, RUN_ENDED)

    def ongoing(self, one: OpenQuestion) -> OngoingRun | None:
        """Return the readable run of a question.

        None if no pipeline can read it.
        """
        return get_ongoing(self._entry).get(one.origin.run.run_id)

    @callback
    def _async_hand_off(self, run: OngoingRun) -> None:
        """Hand off a run without a reader."""
        if run.id in get_ongoing(self._entry).handoffs:
            return
        if run.stopping:
            name = f"{DOMAIN} stopped question"
            coroutine = self._async_forget(run)
            async_create_background_task(self._hass, self._entry, coroutine, name)
        else:
            async_hand_off(self._hass, self._entry, run)

    async def _async_forget(self, run: OngoingRun) -> None:
        """Remove a questioning run from the store.

        Its end has an owner.
        """
        handoffs = get_handoffs(self._entry)
        await handoffs.async_remove(self._hass, self._entry, run.id)


_QUESTIONS: Final[HassKey[AgentQuestions]] = HassKey("agent_questions")


def get_agent_questions(entry: ClawdConfigEntry) -> AgentQuestions | None:
    """Return the open questions of an entry.

    None unless they are answered.
    """
    runtime = find_runtime(entry)
    return runtime.data.get(_QUESTIONS) if runtime else None


@callback
def async_track_questions(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> Callable[[], None]:
    """Track the questions; return the unsubscribe."""
    if entry.options.get(CONF_ASK_QUESTIONS) is not True:
        return lambda: None
    data = entry.runtime_data.data
    data[_QUESTIONS] = questions = AgentQuestions(hass, entry)
    return combine_unsubscribes(lambda: data.pop(_QUESTIONS), questions.async_start())


def _outcome(status: str) -> str:
    """Return the outcome of a question."""
    return status if status in frozenset(QuestionStatus) else GONE
