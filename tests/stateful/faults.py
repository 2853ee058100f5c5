"""Faults of the Gateway, of the connection and of frames, in any order."""

from functools import partial
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
import orjson

from tests.simulator import Refusal
from tests.simulator.recordings import Frame

from .callers import MAX_CONVERSATIONS, CallerMachine
from .conversations import PLANS, SESSIONS, Conversation, Plan

METHODS: Final = ("agent", "agent.wait", "chat.abort", "chat.history", "chat.send")
CLOSE_CODES: Final = (1000, 1001, 1008, 1011, 1012, 1013)
HALF_A_FRAME: Final = b'\x81\x7e\x10\x00{"type":"event"'
START_OF_TOO_MUCH: Final = b"\x81\x7f" + (2**26).to_bytes(8)
MAX_RUNS: Final = 6

# Less than a request may last, less than two ticks and more, and longer than all.
JUMPS: Final = (5, 25, 61, 130, 700)

# Longer than the client waits until it looks whether it was suspended.
LOOK: Final = 11

# No Gateway takes a run in the moment in which its process starts.
BOOT: Final = 1

REQUEST_PATIENCE: Final = 20
RUN_PATIENCE: Final = 100

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
ODDITIES: Final[tuple[tuple[str, Frame], ...]] = (
    ("mystery", {"text": "boo"}),
    ("assistant", {}),
    ("assistant", {"text": None, "delta": "boo"}),
    ("item", {"kind": "preamble", "phase": "end"}),
    ("tool", {"phase": "start", "name": 7}),
    ("lifecycle", {"phase": "end"}),
    ("run_status", {"phase": "retrying"}),
)


class FaultMachine(CallerMachine):
    """Callers of a client, and whatever can happen to it."""

    def __init__(self) -> None:
        """Start without a fault."""
        super().__init__()
        self.held: set[str] = set()
        self.down = False
        self.leaving = False

    @rule()
    def cut(self) -> None:
        """Cut the connection."""
        self.world.act(self.gateway.drop)

    @precondition(lambda self: len(self.talks) < MAX_CONVERSATIONS)
    @rule(
        target=CallerMachine.runs,
        session_key=st.sampled_from(SESSIONS),
        plan=PLANS,
        heard=st.booleans(),
    )
    def ask_and_cut(
        self,
        session_key: str,
        plan: Plan,
        heard: bool,  # noqa: FBT001 - drawn
    ) -> Conversation:
        """Ask an agent, and cut the connection before or after it has heard of it."""
        for peer in [] if heard else self.gateway.connections:
            self.world.act(peer.websocket.transport.pause_reading)
        talk = self.start_run_in(session_key, plan, passes=int(heard))
        self.cut()
        return talk

    @rule()
    def cut_in_a_frame(self) -> None:
        """Cut the connection in the middle of a frame."""
        for peer in self.gateway.connections:
            self.world.act(peer.websocket.transport.write, HALF_A_FRAME)
        self.cut()

    @rule()
    def send_too_much(self) -> None:
        """Start a frame that is larger than any client takes."""
        for peer in self.gateway.connections:
            self.world.act(peer.websocket.transport.write, START_OF_TOO_MUCH)

    @rule(code=st.sampled_from(CLOSE_CODES))
    def close(self, code: int) -> None:
        """Close the connection as a server does."""
        self.world.do(self._close(code))

    @precondition(lambda self: not (self.down or self.leaving))
    @rule()
    def restart(self) -> None:
        """Restart the Gateway, which may have to wait for its runs."""
        self.leaving = True
        self.world.spawn(self._restart())

    @precondition(lambda self: not (self.down or self.leaving))
    @rule()
    def vanish(self) -> None:
        """Stop to listen."""
        self.down = True
        self.world.do(self.gateway.suspend())

    @precondition(lambda self: self.down)
    @rule()
    def appear(self) -> None:
        """Listen again."""
        self.down = False
        self.world.do(self.gateway.resume())

    @rule(refusal=st.sampled_from(Refusal))
    def refuse_next(self, refusal: Refusal) -> None:
        """Turn the next connection away."""
        self.gateway.refuse(refusal, 1)

    @rule()
    def come_back(self) -> None:
        """Let the client connect again at once."""
        self.world.do(self.world.come_back())

    @rule(seconds=st.sampled_from(JUMPS))
    def jump(self, seconds: int) -> None:
        """Let the clock jump."""
        for talk in self.talks:
            talk.seconds += seconds
            if talk.seconds > (RUN_PATIENCE if talk.run else REQUEST_PATIENCE):
                self.excuse(talk)
        for call in self.calls:
            call.seconds += seconds
            call.excused |= call.seconds > REQUEST_PATIENCE
        self.world.clock.jump(seconds)
        self.world.do(self.world.calm())

    @rule(seconds=st.sampled_from(JUMPS), lost=st.booleans())
    def suspend(self, seconds: int, lost: bool) -> None:  # noqa: FBT001 - drawn
        """Suspend the machine, maybe until its connection is forgotten."""
        self.world.clock.suspend(seconds)
        if lost:
            self.cut()
        self.jump(LOOK)

    @rule()
    def hold_line(self) -> None:
        """Let all frames wait."""
        self.gateway.wire_faults.hold()

    @rule(order=st.lists(st.integers(0, 5), max_size=30))
    def release_line(self, order: list[int]) -> None:
        """Let the frames go, those of different streams in another order."""
        self.world.act(self.gateway.wire_faults.release, order)

    @rule(count=st.integers(1, 5))
    def double(self, count: int) -> None:
        """Send the next frames twice."""
        self.gateway.wire_faults.duplicate_next = count

    @rule(count=st.integers(1, 2))
    def halve(self, count: int) -> None:
        """Send only half of each of the next frames."""
        self.gateway.wire_faults.truncate_next = count
        self._lose_frames()

    @rule()
    def mute(self) -> None:
        """Say nothing any more."""
        self.gateway.mute()
        self._lose_frames()

    @precondition(lambda self: self.gateway.muted)
    @rule()
    def unmute(self) -> None:
        """Speak again."""
        self.gateway.unmute()

    @rule(method=st.sampled_from(METHODS))
    def hold(self, method: str) -> None:
        """Let requests of a method wait."""
        if method not in self.held:
            self.held.add(method)
            self.gateway.hold(method)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """Go on with the requests of a method."""
        self._release(data.draw(st.sampled_from(sorted(self.held))))

    @precondition(lambda self: self.gateway.paused)
    @rule()
    def proceed(self) -> None:
        """Let a run go on."""
        self.world.act(self.gateway.proceed)

    @precondition(lambda self: len(self.gateway.runs.active()) < MAX_RUNS)
    @rule(session_key=st.sampled_from([*SESSIONS, "agent:main:main"]), plan=PLANS)
    def start_foreign_run(self, session_key: str, plan: Plan) -> None:
        """Let somebody else ask the agent."""
        self.number += 1
        message = f"foreign {self.number:03}"
        steps = plan.steps(self.number)
        start = partial(self.gateway.run, message, *steps, session_key=session_key)
        self.world.act(start)

    @rule(garbage=st.sampled_from(GARBAGE), binary=st.booleans())
    def send_garbage(self, garbage: bytes, binary: bool) -> None:  # noqa: FBT001 - drawn
        """Send what nobody can use."""
        for peer in self.gateway.connections:
            self.world.act(peer.send if binary else peer.send_text, garbage)

    @precondition(lambda self: self.gateway.runs.active())
    @rule(oddity=st.sampled_from(ODDITIES), data=st.data())
    def tell_oddity(self, oddity: tuple[str, Frame], data: st.DataObject) -> None:
        """Tell of a run what nobody understands."""
        run = data.draw(st.sampled_from(self.gateway.runs.active()))
        self.world.act(run.events.emit, *oddity)

    @rule()
    def end_all_faults(self) -> None:
        """Let the Gateway be as it should, whatever has happened."""
        self.end_faults()

    def end_faults(self) -> None:
        """Let the Gateway be as it should."""
        self.gateway.unmute()
        self.gateway.refuse(None)
        self.gateway.wire_faults.truncate_next = 0
        self.world.act(self.gateway.wire_faults.release)
        for method in tuple(self.held):
            self._release(method)
        if self.down:
            self.appear()

    def _lose_frames(self) -> None:
        self.lost_frames = True
        for call in self.calls:
            call.excused = True
        for talk in self.talks:
            talk.excused = talk.incomplete = True

    def _release(self, method: str) -> None:
        self.held.discard(method)
        self.world.act(self.gateway.release, method)

    async def _close(self, code: int) -> None:
        for peer in self.gateway.connections:
            await peer.websocket.close(code, "no reason")

    async def _restart(self) -> None:
        await self.gateway.restart()
        self.world.clock.jump(BOOT)
        self.leaving = False
