"""The simulated runs: what each step of a script sends."""

import pytest
from websockets.exceptions import ConnectionClosed

from tests.simulator import (
    Ack,
    Drop,
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
from tests.simulator.raw_client import RawClient, raw_client
from tests.simulator.recordings import Frame
from tests.simulator.script import obey


def events(client: RawClient, stream: str) -> list[Frame]:
    """Return the data of a client's agent events of one stream."""
    return [
        frame["payload"]["data"]
        for frame in client.frames
        if frame.get("event") == "agent" and frame["payload"]["stream"] == stream
    ]


def deltas(client: RawClient) -> list[str]:
    """Return the pieces of text that a client received."""
    return [data["delta"] for data in events(client, "assistant")]


def replies(response: Frame) -> list[str]:
    """Return the texts of a final response."""
    return [item["text"] for item in response["payload"]["result"]["payloads"]]


async def test_given_chunks_come_one_by_one(gateway: GatewaySimulator) -> None:
    gateway.script(Reply(chunks=("a", "", "b c")))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        _, final = await client.run("hi")
    assert deltas(client) == ["a", "", "b c"]
    assert replies(final) == ["ab c"]


async def test_protocol_3_sends_each_word() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        await client.shake_hands()
        await client.run("say: one two three")
    assert deltas(client) == ["one", " two", " three"]
    chats = [frame for frame in client.frames if frame.get("event") == "chat"]
    assert [frame["payload"]["state"] for frame in chats] == ["delta", "final"]


async def test_protocol_4_coalesces_words() -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        await client.shake_hands()
        await client.run("say: one two three")
    assert deltas(client) == ["one", " two three"]


async def test_words_take_the_time_that_was_asked_for(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("one two three", delay=0.001))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        _, final = await client.run("hi")
    assert final["payload"]["result"]["meta"]["durationMs"] >= 3


async def test_without_a_script_the_message_is_echoed(
    gateway: GatewaySimulator,
) -> None:
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
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
def test_without_a_script_some_messages_are_obeyed(
    message: str, script: tuple[Step, ...]
) -> None:
    assert obey(message) == script


async def test_a_script_for_one_run_goes_first(gateway: GatewaySimulator) -> None:
    gateway.script(Reply("always"))
    gateway.script_once(Reply("once"))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        _, first = await client.run("hi")
        _, second = await client.run("hi")
    assert [replies(first), replies(second)] == [["once"], ["always"]]


async def test_text_starts_again_after_a_tool(
    protocol: int, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Let me look."), Tool("ls", {"path": "."}), Reply("Done."))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        _, final = await client.run("hi")
    assert events(client, "assistant")[-1]["text"] == "Done."
    items = {data.get("itemId") for data in events(client, "assistant")}
    assert len(items) == {3: 1, 4: 2}[protocol]
    expected = {3: ["Let me look.", "Done."], 4: ["Done."]}
    assert replies(final) == expected[protocol]


@pytest.mark.parametrize(("caps", "phases"), [(["tool-events"], 2), ([], 0)])
async def test_protocol_4_sends_tools_to_who_can_take_them(
    caps: list[str], phases: int
) -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Tool("ls", {"path": "."}, "README", is_error=True))
        await client.shake_hands(caps=caps)
        await client.run("hi")
    assert len(events(client, "tool")) == phases
    assert len(events(client, "item")) == 2


async def test_protocol_3_only_counts_tools() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Tool("ls"), Reply("Done."))
        await client.shake_hands()
        await client.run("hi")
    numbers = [
        frame["payload"]["seq"]
        for frame in client.frames
        if frame.get("event") == "agent"
    ]
    assert numbers == [1, 5, 6]


async def test_a_text_can_be_replaced(gateway: GatewaySimulator) -> None:
    gateway.script(Reply("wrong"), Replace("right"), Reply(chunks=(" again",)))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        _, final = await client.run("hi")
    assert [data.get("replace", False) for data in events(client, "assistant")] == [
        False,
        True,
        False,
    ]
    assert replies(final) == ["right again"]


async def test_a_retry_forgets_the_text(
    protocol: int, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("lost"), Retry(), Retry(), Reply("kept"))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        _, final = await client.run("hi")
    phases = [data["phase"] for data in events(client, "lifecycle")]
    attempts = [data["attempt"] for data in events(client, "run_status")]
    assert phases.count("start") == 3
    assert phases.count("end") == {3: 3, 4: 1}[protocol]
    assert attempts == {3: [], 4: [2, 3]}[protocol]
    assert replies(final) == ["kept"]


async def test_a_failure_is_an_error_on_protocol_4_only(
    protocol: int, gateway: GatewaySimulator
) -> None:
    gateway.script(Fail("out of order"))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        _, final = await client.run("hi")
    if protocol == 3:
        assert replies(final) == ["out of order"]
    else:
        assert final["ok"] is False
        assert final["error"] == {"code": "UNAVAILABLE", "message": "out of order"}


async def test_a_time_limit_ends_a_run(
    protocol: int, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("half"), TimeOut())
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        _, final = await client.run("hi")
    if protocol == 3:
        assert final["payload"]["result"]["meta"]["aborted"] is True
    else:
        assert final["payload"]["status"] == "timeout"
        assert final["payload"]["stopReason"] == "timeout"


async def test_a_run_can_be_refused(gateway: GatewaySimulator) -> None:
    gateway.script(Refuse("no such thinking level"))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        response, _ = await client.run("hi")
    assert response["error"]["message"] == "no such thinking level"
    assert gateway.runs.by_id == {}


async def test_events_can_come_before_the_first_response(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("fast"), End(), Ack())
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        first, final = await client.run("hi")
        position = client.frames.index(first)
    assert first["payload"]["status"] == "accepted"
    assert client.frames[position + 1] is final
    assert any(frame.get("event") == "agent" for frame in client.frames[:position])


async def test_a_run_pauses_until_told_to_proceed(gateway: GatewaySimulator) -> None:
    gateway.script(Reply("one"), Pause(), Reply(" two"))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        id_ = await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        await gateway.wait_paused()
        await client.response(id_)
        gateway.proceed()
        assert replies(await client.response(id_)) == ["one two"]


async def test_a_run_can_send_anything_between(gateway: GatewaySimulator) -> None:
    gateway.script(Emit("tick", {"ts": 1}), Emit("{"), Emit(b"\x00"), Reply("done"))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        assert (await client.event("tick"))["payload"] == {"ts": 1}
        assert await client.connection.recv() == "{"
        assert await client.connection.recv() == b"\x00"


async def test_a_run_goes_on_without_its_client(
    protocol: int, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("half"), Drop(), Pause(), Reply(chunks=(" whole",)))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        await gateway.wait_paused()
        with pytest.raises(ConnectionClosed):
            await client.receive_until(lambda _: False)
        assert client.connection.close_code == 1006
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        id_ = await client.send("agent.wait", {"runId": "a", "timeoutMs": 5000})
        await gateway.wait_for_request("agent.wait")
        gateway.proceed()
        result = (await client.response(id_))["payload"]
    assert result["status"] == "ok"
    assert deltas(client)[-1] == " whole"
    if protocol == 4:
        assert result["terminalReply"]["text"] == "half whole"


async def test_every_client_sees_a_foreign_run(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as one, raw_client(gateway.url) as other:
        await one.shake_hands()
        await other.shake_hands()
        run = gateway.run("hi", Reply("done"))
        for client in (one, other):
            event = await client.event("agent")
            assert event["payload"]["runId"] == run.run_id


async def test_runs_of_one_session_queue(gateway: GatewaySimulator) -> None:
    gateway.script_once(Pause(), Reply("first"))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        for key in ("a", "b"):
            await client.send("agent", {"message": "say: x", "idempotencyKey": key})
        await gateway.wait_paused()
        gateway.proceed()
        while len(events(client, "lifecycle")) < 4:
            await client.receive()
    order = [
        frame["payload"]["runId"]
        for frame in client.frames
        if frame.get("event") == "agent"
    ]
    assert order == sorted(order)


async def test_the_same_key_does_not_run_twice(
    protocol: int, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("done"))
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        params = {"message": "hi", "idempotencyKey": "a"}
        id_ = await client.send("agent", params)
        await gateway.wait_paused()
        again = await client.request("agent", params)
        gateway.proceed()
        final = await client.response(id_)
        repeated = await client.request("agent", params)
    assert again["payload"]["status"] == {3: "accepted", 4: "in_flight"}[protocol]
    assert repeated["payload"] == final["payload"]
    assert len(gateway.runs.by_id) == 1


async def test_protocol_4_aborts_a_run() -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Reply("half"), Pause())
        await client.shake_hands()
        id_ = await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        await gateway.wait_paused()
        params = {"sessionKey": "agent:main:main", "runId": "a"}
        aborted = await client.request("chat.abort", params)
        final = await client.response(id_)
        again = await client.request("chat.abort", params)
    last = [frame for frame in client.frames if frame.get("event") == "agent"][-1]
    assert last["payload"]["data"]["phase"] == "error"
    assert last["payload"]["seq"] == 1
    assert aborted["payload"] == {"ok": True, "aborted": True, "runIds": ["a"]}
    assert final["payload"]["summary"] == "aborted"
    assert again["payload"]["aborted"] is False


async def test_an_abort_lets_the_next_run_begin() -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script_once(Pause())
        await client.shake_hands()
        await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        id_ = await client.send("agent", {"message": "say: x", "idempotencyKey": "b"})
        await gateway.wait_paused()
        await client.request(
            "chat.abort", {"sessionKey": "agent:main:main", "runId": "a"}
        )
        assert replies(await client.response(id_)) == ["x"]


async def test_protocol_3_aborts_no_run_of_agent() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Pause(), Reply("done"))
        await client.shake_hands()
        id_ = await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        await gateway.wait_paused()
        params = {"sessionKey": "agent:main:main", "runId": "a"}
        aborted = await client.request("chat.abort", params)
        gateway.proceed()
        final = await client.response(id_)
    assert aborted["payload"]["aborted"] is False
    assert replies(final) == ["done"]


async def test_waiting_for_an_unknown_run_times_out(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        await client.shake_hands()
        response = await client.request("agent.wait", {"runId": "x", "timeoutMs": 1})
    assert response["payload"] == {"runId": "x", "status": "timeout"}


async def test_protocol_3_waits_for_the_first_end_only() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Retry(), Pause(), Reply("late"))
        await client.shake_hands()
        await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        await gateway.wait_paused()
        response = await client.request("agent.wait", {"runId": "a", "timeoutMs": 5000})
    assert response["payload"]["status"] == "ok"
