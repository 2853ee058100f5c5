"""State machine of callers and listeners."""

from collections.abc import Callable
import sys
from typing import ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from tests.simulator.recordings import V3

from .conversations import PLANS, REPLY, SESSIONS, Call, Caller, Conversation, RunPlan
from .harness import ClientHarness
from .invariants import check_call, check_client, check_conversation, check_secrets
from .listener import EventListener

MAX_CONVERSATIONS: Final = 4

# Each exceeds a deadline: of a request, an idle run, a whole run.
DEADLINE_JUMPS: Final = (31, 61, 301, 601)


class CallerMachine(RuleBasedStateMachine):
    """Callers of a client; `recover` checks the outcomes."""

    protocol: ClassVar[int]
    steps: ClassVar[int] = 0
    runs = Bundle[Conversation]("runs")
    subscriptions = Bundle[tuple[EventListener, Callable[[], None]]]("subscriptions")

    def __init__(self) -> None:
        """Start with a connected client."""
        super().__init__()
        type(self).steps -= 1  # the first check of the invariants is no step
        self.harness = ClientHarness(self.protocol)
        self.gateway = self.harness.gateway
        self.number = 0
        self.conversations: list[Conversation] = []
        self.calls: list[Call] = []
        self.listeners: list[EventListener] = []
        self.stopped_sessions: set[str] = set()
        self.lost_frames = False

    @property
    def loses_frames(self) -> bool:
        """Return whether frames of the Gateway may be lost."""
        return self.gateway.muted or self.gateway.wire_faults.truncate_next > 0

    @property
    def callers(self) -> list[Caller]:
        """Return the callers since the machine last settled."""
        return [*self.conversations, *self.calls]

    @initialize(target=runs, plans=st.lists(PLANS, min_size=1, max_size=2))
    def start_runs(self, plans: list[RunPlan]) -> MultipleResults[Conversation]:
        """Start runs in different sessions."""
        return self.start_plans(plans)

    @precondition(lambda self: len(self.conversations) < MAX_CONVERSATIONS)
    @rule(target=runs, session_key=st.sampled_from(SESSIONS), plan=PLANS)
    def start_run(self, session_key: str, plan: RunPlan) -> Conversation:
        """Start a run."""
        return self.start_run_in(session_key, plan)

    @rule(target=runs, plans=st.lists(PLANS, min_size=1, max_size=2))
    def recover_and_start_runs(
        self, plans: list[RunPlan]
    ) -> MultipleResults[Conversation]:
        """Recover and start new runs."""
        self.recover()
        return self.start_plans(plans)

    def start_plans(self, plans: list[RunPlan]) -> MultipleResults[Conversation]:
        """Start each plan's run in a session of its own."""
        pairs = zip(SESSIONS, plans, strict=False)
        return multiple(*(self.start_run_in(*pair) for pair in pairs))

    def start_run_in(
        self, session_key: str, plan: RunPlan, iterations: int | None = None
    ) -> Conversation:
        """Start a run and let the event loop run.

        Without `iterations`, the loop runs until nothing else happens.
        """
        self.number += 1
        conversation = Conversation(
            number=self.number,
            plan=plan,
            session_key=session_key,
            may_fail=self._failure_possible() or session_key in self.stopped_sessions,
            incomplete=self.loses_frames,
            drops=self.harness.client.statistics.drops,
            give_ups=self.harness.give_ups,
        )
        self.gateway.scripts[conversation.message] = plan.script(conversation.number)
        self.conversations.append(conversation)
        conversation.task = self.harness.spawn(
            conversation.read_reply(self.harness.client), iterations
        )
        return conversation

    @rule(iterations=st.integers(0, 5) | st.none())
    def send_request(self, iterations: int | None) -> None:
        """Send a request; with `iterations`, cancel it after them."""
        self.number += 1
        drops = self.harness.client.statistics.drops
        call = Call(
            session_key=f"agent:main:call-{self.number}",
            may_fail=self._failure_possible(),
            drops=drops,
        )
        self.calls.append(call)
        call.task = self.harness.spawn(call.send(self.harness.client), iterations)
        if iterations is not None:
            call.may_fail = True
            self.harness.call(call.task.cancel)

    @rule(conversation=runs)
    def abort_run(self, conversation: Conversation) -> None:
        """Abort a run."""
        if conversation.run and not conversation.run.ended:
            self.allow_failure(conversation)
            self.harness.spawn(conversation.abort(conversation.run))

    @rule(conversation=runs)
    def cancel_caller(self, conversation: Conversation) -> None:
        """Cancel the caller of a run."""
        self.allow_failure(conversation)
        self.harness.call(conversation.task.cancel)

    @rule(
        target=subscriptions,
        name=st.sampled_from(["note", "agent", "tick"]),
        kind=st.sampled_from(["records", "awaits", "raises"]),
    )
    def subscribe(
        self, name: str, kind: str
    ) -> tuple[EventListener, Callable[[], None]]:
        """Subscribe to an event."""
        listener = EventListener(kind)
        self.listeners.append(listener)
        return listener, self.harness.client.subscribe(name, listener)

    @rule(subscription=consumes(subscriptions))
    def unsubscribe(
        self, subscription: tuple[EventListener, Callable[[], None]]
    ) -> None:
        """Unsubscribe twice; no further event is received."""
        listener, unsubscribe = subscription
        unsubscribe()
        unsubscribe()
        received = len(listener.received)
        self.broadcast_note()
        assert len(listener.received) == received

    @rule()
    def broadcast_note(self) -> None:
        """Broadcast an event with few listeners."""
        self.harness.call(self.gateway.broadcast, "note", {"text": REPLY})

    @rule()
    def restart_client(self) -> None:
        """Stop the client and start another one."""
        for caller in self.callers:
            caller.may_fail = True
        self.harness.run(self.harness.stop_client())
        self.listeners.clear()
        self.end_faults()
        self.harness.run(self.harness.start_client())

    @rule()
    def recover(self) -> None:
        """End all faults and check the outcomes."""
        self.end_faults()
        self.harness.run(self.harness.wait_idle())
        unfinished = [c for c in self.callers if not (c.done or c.may_fail)]
        assert unfinished == []
        assert self.harness.idle or self.lost_frames
        for seconds in DEADLINE_JUMPS:
            if not self.harness.idle:
                self.harness.clock.advance(seconds)
                self.harness.run(self.harness.wait_idle())
        self._check_outcomes()
        self.conversations.clear()
        self.calls.clear()
        self.stopped_sessions.clear()
        self.lost_frames = False

    @invariant()
    def finished_work_is_removed(self) -> None:
        """Check that finished requests and runs are removed at once."""
        type(self).steps += 1
        client = self.harness.client
        assert not [
            request for request in client.introspection.pending if request.future.done()
        ]
        assert not [run for run in client.introspection.runs if run.ended]
        if self.harness.connected:
            accounted = client.statistics.requests_completed + len(
                client.introspection.pending
            )
            assert client.statistics.requests_issued == accounted

    def teardown(self) -> None:
        """Settle and stop; after a failure, only close."""
        try:
            if sys.exception() is None:
                self.recover()
                self.harness.run(self.harness.stop_client())
        finally:
            self.harness.close()

    def end_faults(self) -> None:
        """End all faults."""

    def allow_failure(self, conversation: Conversation) -> None:
        """Allow a run to fail.

        Protocol 3 aborts all runs of a session together.
        """
        stops_all = self.protocol == V3
        for other in self.conversations:
            if other is conversation or (
                stops_all and other.session_key == conversation.session_key
            ):
                other.may_fail = True
        if stops_all:
            self.stopped_sessions.add(conversation.session_key)

    def _failure_possible(self) -> bool:
        return not self.harness.connected or self.loses_frames

    def _check_outcomes(self) -> None:
        for conversation in self.conversations:
            check_conversation(self.harness, conversation)
        for call in self.calls:
            check_call(self.harness, call)
        check_client(
            self.harness, sum(listener.failures for listener in self.listeners)
        )
        check_secrets(self.harness, self.callers)
