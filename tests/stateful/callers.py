"""Callers and listeners of a client, and what must be true of them in the end."""

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

from .conversations import PLANS, REPLY, SESSIONS, Call, Caller, Conversation, Plan
from .invariants import see_call, see_client, see_secrets, see_talk
from .listener import Ear
from .world import World

MAX_CONVERSATIONS: Final = 4

# Longer than any deadline of a request, of the silence of a run, of a whole run.
DEADLINES: Final = (31, 61, 301, 601)


class CallerMachine(RuleBasedStateMachine):
    """Whoever uses a client; `come_to_rest` looks whether it kept its word."""

    protocol: ClassVar[int]
    steps: ClassVar[int] = 0
    runs = Bundle[Conversation]("runs")
    subscriptions = Bundle[tuple[Ear, Callable[[], None]]]("subscriptions")

    def __init__(self) -> None:
        """Start with a client that is connected."""
        super().__init__()
        type(self).steps -= 1  # the first look at the invariants is no step
        self.world = World(self.protocol)
        self.gateway = self.world.gateway
        self.number = 0
        self.talks: list[Conversation] = []
        self.calls: list[Call] = []
        self.ears: list[Ear] = []
        self.stopped_sessions: set[str] = set()
        self.lost_frames = False

    @property
    def loses_frames(self) -> bool:
        """Return whether what the Gateway says now may not arrive."""
        return self.gateway.muted or self.gateway.wire_faults.truncate_next > 0

    @property
    def callers(self) -> list[Caller]:
        """Return everybody who has asked since the last rest."""
        return [*self.talks, *self.calls]

    @initialize(target=runs, plans=st.lists(PLANS, min_size=1, max_size=2))
    def start_runs(self, plans: list[Plan]) -> MultipleResults[Conversation]:
        """Start runs in sessions of their own."""
        return self.start_all(plans)

    @precondition(lambda self: len(self.talks) < MAX_CONVERSATIONS)
    @rule(target=runs, session_key=st.sampled_from(SESSIONS), plan=PLANS)
    def start_run(self, session_key: str, plan: Plan) -> Conversation:
        """Ask an agent."""
        return self.start_run_in(session_key, plan)

    @rule(target=runs, plans=st.lists(PLANS, min_size=1, max_size=2))
    def start_over(self, plans: list[Plan]) -> MultipleResults[Conversation]:
        """Come to rest, and start runs again."""
        self.come_to_rest()
        return self.start_all(plans)

    def start_all(self, plans: list[Plan]) -> MultipleResults[Conversation]:
        """Start runs, each in a session of its own."""
        pairs = zip(SESSIONS, plans, strict=False)
        return multiple(*(self.start_run_in(*pair) for pair in pairs))

    def start_run_in(
        self, session_key: str, plan: Plan, passes: int | None = None
    ) -> Conversation:
        """Ask an agent; with a number of passes, do not wait for what comes of it."""
        self.number += 1
        talk = Conversation(
            number=self.number,
            plan=plan,
            session_key=session_key,
            excused=self._may_fail() or session_key in self.stopped_sessions,
            incomplete=self.loses_frames,
            drops=self.world.client.statistics.drops,
            given_up=self.world.given_up,
        )
        self.gateway.scripts[talk.message] = plan.script(talk.number)
        self.talks.append(talk)
        talk.task = self.world.spawn(talk.hold(self.world.client), passes)
        return talk

    @rule(passes=st.integers(0, 5) | st.none())
    def request(self, passes: int | None) -> None:
        """Send a request; wait for its response, or leave before it can be there."""
        self.number += 1
        drops = self.world.client.statistics.drops
        call = Call(
            session_key=f"agent:main:call-{self.number}",
            excused=self._may_fail(),
            drops=drops,
        )
        self.calls.append(call)
        call.task = self.world.spawn(call.ask(self.world.client), passes)
        if passes is not None:
            call.excused = True
            self.world.act(call.task.cancel)

    @rule(talk=runs)
    def abort(self, talk: Conversation) -> None:
        """Stop a run."""
        if talk.run and not talk.run.ended:
            self.excuse(talk)
            self.world.spawn(talk.abort(talk.run))

    @rule(talk=runs)
    def cancel_caller(self, talk: Conversation) -> None:
        """Let the caller of a run leave."""
        self.excuse(talk)
        self.world.act(talk.task.cancel)

    @rule(
        target=subscriptions,
        name=st.sampled_from(["note", "agent", "tick"]),
        kind=st.sampled_from(["hears", "works", "fails"]),
    )
    def subscribe(self, name: str, kind: str) -> tuple[Ear, Callable[[], None]]:
        """Listen to an event."""
        ear = Ear(kind)
        self.ears.append(ear)
        return ear, self.world.client.subscribe(name, ear)

    @rule(subscription=consumes(subscriptions))
    def unsubscribe(self, subscription: tuple[Ear, Callable[[], None]]) -> None:
        """Listen no more."""
        ear, leave = subscription
        leave()
        leave()
        heard = len(ear.heard)
        self.note()
        assert len(ear.heard) == heard

    @rule()
    def note(self) -> None:
        """Tell everybody something that few listen to."""
        self.world.act(self.gateway.broadcast, "note", {"text": REPLY})

    @rule()
    def restart_client(self) -> None:
        """Stop the client, and use another one."""
        for asked in self.callers:
            asked.excused = True
        self.world.do(self.world.stop_client())
        self.ears.clear()
        self.end_faults()
        self.world.do(self.world.start_client())

    @rule()
    def come_to_rest(self) -> None:
        """End all faults, and look what they have done."""
        self.end_faults()
        self.world.do(self.world.come_to_rest())
        late = [a for a in self.callers if not (a.done or a.excused)]
        assert late == []
        assert self.world.idle or self.lost_frames
        for seconds in DEADLINES:
            if not self.world.idle:
                self.world.clock.jump(seconds)
                self.world.do(self.world.come_to_rest())
        self._judge()
        self.talks.clear()
        self.calls.clear()
        self.stopped_sessions.clear()
        self.lost_frames = False

    @invariant()
    def nothing_ended_is_kept(self) -> None:
        """See that requests and runs leave in the moment in which they end."""
        type(self).steps += 1
        client = self.world.client
        assert not [
            request for request in client.introspection.pending if request.future.done()
        ]
        assert not [run for run in client.introspection.runs if run.ended]
        if self.world.connected:
            settled = client.statistics.requests_completed + len(
                client.introspection.pending
            )
            assert client.statistics.requests_issued == settled

    def teardown(self) -> None:
        """Come to rest, and end; after a failure, just end."""
        try:
            if sys.exception() is None:
                self.come_to_rest()
                self.world.do(self.world.stop_client())
        finally:
            self.world.close()

    def end_faults(self) -> None:
        """Let the Gateway be as it should."""

    def excuse(self, talk: Conversation) -> None:
        """Note that a run may fail; v3 stops all runs of a session."""
        stops_all = self.protocol == V3
        for other in self.talks:
            if other is talk or (stops_all and other.session_key == talk.session_key):
                other.excused = True
        if stops_all:
            self.stopped_sessions.add(talk.session_key)

    def _may_fail(self) -> bool:
        return not self.world.connected or self.loses_frames

    def _judge(self) -> None:
        for talk in self.talks:
            see_talk(self.world, talk)
        for call in self.calls:
            see_call(self.world, call)
        see_client(self.world, sum(ear.failures for ear in self.ears))
        see_secrets(self.world, self.callers)
