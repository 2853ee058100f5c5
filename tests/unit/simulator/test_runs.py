"""Scripted runs of the simulated Gateway."""

import pytest

from tests.simulator import (
    Ack,
    Emit,
    End,
    Fail,
    GatewaySimulator,
    Pause,
    Refuse,
    Replace,
    Reply,
    Retry,
    Step,
    TimeOut,
    Tool,
)
from tests.simulator.raw_client import raw_client, replies
from tests.simulator.script import default_script


async def test_chunks_are_sent_one_by_one(gateway: GatewaySimulator) -> None:
    gateway.script(Reply(chunks=("a", "", "b c")))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        _, final = await client.run("hi")
    assert client.deltas == ["a", "", "b c"]
    assert replies(final) == ["ab c"]


async def test_protocol_3_sends_each_word() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        await client.handshake()
        await client.run("say: one two three")
    assert client.deltas == ["one", " two", " three"]
    chats = [frame for frame in client.frames if frame.get("event") == "chat"]
    assert [frame["payload"]["state"] for frame in chats] == ["delta", "final"]


async def test_protocol_4_coalesces_words() -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        await client.handshake()
        await client.run("say: one two three")
    assert client.deltas == ["one", " two three"]


async def test_words_are_delayed(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("one two three", delay=0.001))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        _, final = await client.run("hi")
    assert final["payload"]["result"]["meta"]["durationMs"] >= 3


async def test_message_is_echoed_without_script(
    gateway: GatewaySimulator,
) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        _, final = await client.run("Good morning")
    assert "Good morning" in replies(final)[0]


@pytest.mark.parametrize(
    ("message", "script"),
    [
        ("say: one two", (Reply("one two"),)),
        ("slow 2", (Reply("w0 w1"),)),
        ('tool:ls {"a": 1}', (Tool("ls", {"a": 1}), Reply("Tool said: done"))),
        ("FAILNOW", (Retry(), Fail())),
    ],
)
def test_message_commands_without_script(
    message: str, script: tuple[Step, ...]
) -> None:
    assert default_script(message) == script


async def test_one_time_script_takes_precedence(gateway: GatewaySimulator) -> None:
    gateway.script(Reply("always"))
    gateway.script_once(Reply("once"))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        _, first = await client.run("hi")
        _, second = await client.run("hi")
    assert [replies(first), replies(second)] == [["once"], ["always"]]


async def test_text_restarts_after_tool(
    protocol: int, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Let me look."), Tool("ls", {"path": "."}), Reply("Done."))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        _, final = await client.run("hi")
    assert client.agent_events("assistant")[-1]["text"] == "Done."
    items = {data.get("itemId") for data in client.agent_events("assistant")}
    assert len(items) == {3: 1, 4: 2}[protocol]
    expected = {3: ["Let me look.", "Done."], 4: ["Done."]}
    assert replies(final) == expected[protocol]


@pytest.mark.parametrize(("caps", "phases"), [(["tool-events"], 2), ([], 0)])
async def test_protocol_4_sends_tool_events_by_capability(
    caps: list[str], phases: int
) -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Tool("ls", {"path": "."}, "README", is_error=True))
        await client.handshake(caps=caps)
        await client.run("hi")
    assert len(client.agent_events("tool")) == phases
    assert len(client.agent_events("item")) == 2


async def test_protocol_3_omits_tool_events() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Tool("ls"), Reply("Done."))
        await client.handshake()
        await client.run("hi")
    numbers = [
        frame["payload"]["seq"]
        for frame in client.frames
        if frame.get("event") == "agent"
    ]
    assert numbers == [1, 5, 6]


async def test_text_can_be_replaced(gateway: GatewaySimulator) -> None:
    gateway.script(Reply("wrong"), Replace("right"), Reply(chunks=(" again",)))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        _, final = await client.run("hi")
    assert [
        data.get("replace", False) for data in client.agent_events("assistant")
    ] == [
        False,
        True,
        False,
    ]
    assert replies(final) == ["right again"]


async def test_retry_forgets_text(protocol: int, gateway: GatewaySimulator) -> None:
    gateway.script(Reply("lost"), Retry(), Retry(), Reply("kept"))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        _, final = await client.run("hi")
    phases = [data["phase"] for data in client.agent_events("lifecycle")]
    attempts = [data["attempt"] for data in client.agent_events("run_status")]
    assert phases.count("start") == 3
    assert phases.count("end") == {3: 3, 4: 1}[protocol]
    assert attempts == {3: [], 4: [2, 3]}[protocol]
    assert replies(final) == ["kept"]


async def test_only_protocol_4_reports_failure_as_error(
    protocol: int, gateway: GatewaySimulator
) -> None:
    gateway.script(Fail("out of order"))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        _, final = await client.run("hi")
    if protocol == 3:
        assert replies(final) == ["out of order"]
    else:
        assert final["ok"] is False
        assert final["error"] == {"code": "UNAVAILABLE", "message": "out of order"}


async def test_timeout_ends_run(protocol: int, gateway: GatewaySimulator) -> None:
    gateway.script(Reply("half"), TimeOut())
    async with raw_client(gateway.url) as client:
        await client.handshake()
        _, final = await client.run("hi")
    if protocol == 3:
        assert final["payload"]["result"]["meta"]["aborted"] is True
        assert replies(final) == []
    else:
        assert final["payload"]["status"] == "timeout"
        assert final["payload"]["stopReason"] == "timeout"


async def test_run_can_be_refused(gateway: GatewaySimulator) -> None:
    gateway.script(Refuse("no such thinking level"))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        response, _ = await client.run("hi")
    assert response["error"]["message"] == "no such thinking level"
    assert gateway.runs.by_id == {}


async def test_events_can_precede_first_response(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("fast"), End(), Ack())
    async with raw_client(gateway.url) as client:
        await client.handshake()
        first, final = await client.run("hi")
        position = client.frames.index(first)
    assert first["payload"]["status"] == "accepted"
    assert client.frames[position + 1] is final
    before = client.frames[:position]
    agent = [frame["payload"] for frame in before if frame.get("event") == "agent"]
    assert agent[0]["data"]["phase"] == "start"
    assert agent[-1]["data"]["phase"] == "end"


async def test_run_pauses_until_proceed(gateway: GatewaySimulator) -> None:
    gateway.script(Reply("one"), Pause(), Reply(" two"))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        id_ = await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        await gateway.wait_paused()
        await client.response(id_)
        gateway.proceed()
        assert replies(await client.response(id_)) == ["one two"]


async def test_run_can_send_arbitrary_frames(gateway: GatewaySimulator) -> None:
    gateway.script(Emit("tick", {"ts": 1}), Emit("{"), Emit(b"\x00"), Reply("done"))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        assert (await client.event("tick"))["payload"] == {"ts": 1}
        assert await client.connection.recv() == "{"
        assert await client.connection.recv() == b"\x00"
