"""State machine of faults."""

from functools import partial
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
import orjson

from tests.simulator import Refusal
from tests.simulator.recordings import Frame

from .callers import MAX_CONVERSATIONS, CallerMachine
from .conversations import PLANS, SESSIONS, Conversation, RunPlan

METHODS: Final = ("agent", "agent.wait", "chat.abort", "chat.history", "chat.send")
CLOSE_CODES: Final = (1000, 1001, 1008, 1011, 1012, 1013)
PARTIAL_FRAME: Final = b'\x81\x7e\x10\x00{"type":"event"'
OVERSIZED_FRAME: Final = b"\x81\x7f" + (2**26).to_bytes(8)
MAX_RUNS: Final = 6

# Below a request timeout, within and beyond two ticks, and beyond every deadline.
JUMPS: Final = (5, 25, 61, 130, 700)

# Longer than the interval at which the client checks for a suspension.
SLEEP_CHECK: Final = 11

# No Gateway accepts a run in the second in which its process starts.
STARTUP: Final = 1

REQUEST_GRACE: Final = 20
RUN_GRACE: Final = 100

GARBAGE: Final = (
    b"",
    b"{",
    b"null",
    b"\xff\xfe",
    b'"\\ud800"',
    b'{"type":"res","id":7,"ok":true}',
    b'{"type":"res","id":"nobody","ok":true,"payload":{"runId":"x"}}',
    b'{"type":"event","event":"agent","payload":[]}',
    b'{"type":"event","event":"agent","seq":1e300,"payload":{"runId":{}}}',
    b'{"type":"event","event":"nobody","payload":{}}',
    b'{"event":"%b","type":"event"}' % (b"x" * 20_000),
    b'{"type":"event","event":"agent","payload":%b}' % (b"[" * 900 + b"]" * 900),
    b"[" * 100_000,
    orjson.dumps({"type": "event", "event": "nobody", "payload": "x" * 200_000}),
)
ODD_EVENTS: Final[tuple[tuple[str, Frame], ...]] = (
    ("mystery", {"text": "boo"}),
    ("assistant", {}),
    ("assistant", {"text": None, "delta": "boo"}),
    ("item", {"kind": "preamble", "phase": "end"}),
    ("tool", {"phase": "start", "name": 7}),
    ("lifecycle", {"phase": "end"}),
    ("run_status", {"phase": "retrying"}),
)


class FaultMachine(CallerMachine):
    """Callers of a client under faults."""

    def __init__(self) -> None:
        """Start without faults."""
        super().__init__()
        self.held: set[str] = set()
        self.down = False
        self.restarting = False

    @rule()
    def drop_connection(self) -> None:
        """Drop the connection."""
        self.harness.call(self.gateway.drop)

    @precondition(lambda self: len(self.conversations) < MAX_CONVERSATIONS)
    @rule(
        target=CallerMachine.runs,
        session_key=st.sampled_from(SESSIONS),
        plan=PLANS,
        delivered=st.booleans(),
    )
    def start_run_and_drop(
        self,
        session_key: str,
        plan: RunPlan,
        delivered: bool,  # noqa: FBT001 - drawn
    ) -> Conversation:
        """Start a run and drop the connection.

        The request is `delivered` before the drop, or lost.
        """
        for connection in [] if delivered else self.gateway.connections:
            self.harness.call(connection.websocket.transport.pause_reading)
        conversation = self.start_run_in(session_key, plan, iterations=int(delivered))
        self.drop_connection()
        return conversation

    @rule()
    def drop_mid_frame(self) -> None:
        """Drop the connection in the middle of a frame."""
        for connection in self.gateway.connections:
            self.harness.call(connection.websocket.transport.write, PARTIAL_FRAME)
        self.drop_connection()

    @rule()
    def send_oversized_frame(self) -> None:
        """Send the header of an oversized frame."""
        for connection in self.gateway.connections:
            self.harness.call(connection.websocket.transport.write, OVERSIZED_FRAME)

    @rule(code=st.sampled_from(CLOSE_CODES))
    def close_connection(self, code: int) -> None:
        """Close the connection with a close code."""
        self.harness.run(self._close(code))

    @precondition(lambda self: not (self.down or self.restarting))
    @rule()
    def restart_gateway(self) -> None:
        """Restart the Gateway, which may wait for its runs."""
        self.restarting = True
        self.harness.spawn(self._restart())

    @precondition(lambda self: not (self.down or self.restarting))
    @rule()
    def stop_listening(self) -> None:
        """Stop listening."""
        self.down = True
        self.harness.run(self.gateway.suspend())

    @precondition(lambda self: self.down)
    @rule()
    def start_listening(self) -> None:
        """Listen again."""
        self.down = False
        self.harness.run(self.gateway.resume())

    @rule(refusal=st.sampled_from(Refusal))
    def refuse_next_connection(self, refusal: Refusal) -> None:
        """Refuse the next connection."""
        self.gateway.refuse(refusal, 1)

    @rule()
    def reconnect(self) -> None:
        """Let the client reconnect at once."""
        self.harness.run(self.harness.reconnect())

    @rule(seconds=st.sampled_from(JUMPS))
    def advance_clock(self, seconds: int) -> None:
        """Advance the clock."""
        for conversation in self.conversations:
            conversation.elapsed += seconds
            if conversation.elapsed > (
                RUN_GRACE if conversation.run else REQUEST_GRACE
            ):
                self.allow_failure(conversation)
        for call in self.calls:
            call.elapsed += seconds
            call.may_fail |= call.elapsed > REQUEST_GRACE
        self.harness.clock.advance(seconds)
        self.harness.run(self.harness.run_loop())

    @rule(seconds=st.sampled_from(JUMPS), lost=st.booleans())
    def suspend_machine(self, seconds: int, lost: bool) -> None:  # noqa: FBT001 - drawn
        """Suspend the machine, optionally losing the connection."""
        self.harness.clock.suspend(seconds)
        if lost:
            self.drop_connection()
        self.advance_clock(SLEEP_CHECK)

    @rule()
    def hold_frames(self) -> None:
        """Hold all frames."""
        self.gateway.wire_faults.hold()

    @rule(order=st.lists(st.integers(0, 5), max_size=30))
    def release_frames(self, order: list[int]) -> None:
        """Release held frames, reordered across streams."""
        self.harness.call(self.gateway.wire_faults.release, order)

    @rule(count=st.integers(1, 5))
    def duplicate_frames(self, count: int) -> None:
        """Send the next frames twice."""
        self.gateway.wire_faults.duplicate_next = count

    @rule(count=st.integers(1, 2))
    def truncate_frames(self, count: int) -> None:
        """Truncate the next frames."""
        self.gateway.wire_faults.truncate_next = count
        self._lose_frames()

    @rule()
    def mute_gateway(self) -> None:
        """Stop sending."""
        self.gateway.mute()
        self._lose_frames()

    @precondition(lambda self: self.gateway.muted)
    @rule()
    def unmute_gateway(self) -> None:
        """Send again."""
        self.gateway.unmute()

    @rule(method=st.sampled_from(METHODS))
    def hold_method(self, method: str) -> None:
        """Hold requests of a method."""
        if method not in self.held:
            self.held.add(method)
            self.gateway.hold(method)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release_method(self, data: st.DataObject) -> None:
        """Release requests of a method."""
        self._release(data.draw(st.sampled_from(sorted(self.held))))

    @precondition(lambda self: self.gateway.paused)
    @rule()
    def resume_run(self) -> None:
        """Resume a paused run."""
        self.harness.call(self.gateway.proceed)

    @precondition(lambda self: len(self.gateway.runs.active()) < MAX_RUNS)
    @rule(session_key=st.sampled_from([*SESSIONS, "agent:main:main"]), plan=PLANS)
    def start_foreign_run(self, session_key: str, plan: RunPlan) -> None:
        """Start a run of another client."""
        self.number += 1
        message = f"foreign {self.number:03}"
        steps = plan.steps(self.number)
        start = partial(self.gateway.run, message, *steps, session_key=session_key)
        self.harness.call(start)

    @rule(garbage=st.sampled_from(GARBAGE), binary=st.booleans())
    def send_garbage(self, garbage: bytes, binary: bool) -> None:  # noqa: FBT001 - drawn
        """Send an invalid message."""
        for connection in self.gateway.connections:
            self.harness.call(
                connection.send if binary else connection.send_text, garbage
            )

    @precondition(lambda self: self.gateway.runs.active())
    @rule(event=st.sampled_from(ODD_EVENTS), data=st.data())
    def emit_odd_event(self, event: tuple[str, Frame], data: st.DataObject) -> None:
        """Emit an invalid or unknown event of a run."""
        run = data.draw(st.sampled_from(self.gateway.runs.active()))
        self.harness.call(run.events.emit, *event)

    @rule()
    def end_all_faults(self) -> None:
        """End all faults."""
        self.end_faults()

    def end_faults(self) -> None:
        """End all faults."""
        self.gateway.unmute()
        self.gateway.refuse(None)
        self.gateway.wire_faults.truncate_next = 0
        self.harness.call(self.gateway.wire_faults.release)
        for method in tuple(self.held):
            self._release(method)
        if self.down:
            self.start_listening()

    def _lose_frames(self) -> None:
        self.lost_frames = True
        for call in self.calls:
            call.may_fail = True
        for conversation in self.conversations:
            conversation.may_fail = conversation.incomplete = True

    def _release(self, method: str) -> None:
        self.held.discard(method)
        self.harness.call(self.gateway.release, method)

    async def _close(self, code: int) -> None:
        for connection in self.gateway.connections:
            await connection.websocket.close(code, "no reason")

    async def _restart(self) -> None:
        await self.gateway.restart()
        self.harness.clock.advance(STARTUP)
        self.restarting = False
