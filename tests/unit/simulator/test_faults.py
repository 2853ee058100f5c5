"""Faults of the simulated Gateway."""

import asyncio
import os
import signal
import subprocess
import sys

import orjson
import pytest
from websockets.exceptions import ConnectionClosed

from tests.simulator import GatewaySimulator, Pause, Reply, Tool
from tests.simulator.raw_client import RawClient, raw_client
from tests.simulator.recordings import Frame


async def _wait_closed(client: RawClient) -> tuple[int | None, str | None]:
    """Wait for the close and return its code and reason."""
    with pytest.raises(ConnectionClosed):
        await client.receive_until(lambda _: False)
    return client.connection.close_code, client.connection.close_reason


async def test_drop_sends_no_close_frame(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        gateway.drop()
        assert gateway.connections == []
        assert (await _wait_closed(client))[0] == 1006
        await gateway.wait_until(lambda: not gateway.open_connections)


async def test_frames_before_drop_arrive(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        gateway.broadcast("tick", {"ts": 1})
        gateway.drop()
        gateway.broadcast("tick", {"ts": 2})
        await _wait_closed(client)
    ticks = [frame for frame in client.frames if frame.get("event") == "tick"]
    assert [frame["payload"] for frame in ticks] == [{"ts": 1}]


async def test_restart_is_announced_and_immediate(
    protocol: int, gateway: GatewaySimulator
) -> None:
    port = gateway.port
    async with raw_client(gateway.url) as client:
        await client.handshake()
        restarting = asyncio.create_task(gateway.restart())
        shutdown = await client.event("shutdown")
        assert await _wait_closed(client) == (1012, "service restart")
        await restarting
    assert ("restartExpectedMs" in shutdown["payload"]) is (protocol == 3)
    assert gateway.port == port
    async with raw_client(gateway.url) as client:
        assert (await client.handshake())["ok"]


async def test_stopped_gateway_refuses_connections_until_resumed(
    gateway: GatewaySimulator,
) -> None:
    await gateway.restart(resume=False)
    with pytest.raises(ConnectionRefusedError):
        async with raw_client(gateway.url):
            pass
    await gateway.resume()
    async with raw_client(gateway.url) as client:
        assert (await client.handshake())["ok"]


async def test_protocol_3_keeps_runs_across_restart() -> None:
    async with GatewaySimulator(protocol=3) as gateway:
        run = gateway.run("hi", Pause(), Reply("done"))
        await gateway.restart()
        gateway.proceed()
        await run.done.wait()
    assert run.events.texts == ["done"]


async def test_protocol_4_finishes_runs_before_restart() -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        await client.handshake()
        gateway.run("hi", Pause(), Reply("done"))
        restarting = asyncio.create_task(gateway.restart())
        await gateway.wait_paused()
        assert (await client.request("health"))["ok"]
        gateway.proceed()
        await restarting
        await client.event("shutdown")
    chats = [frame for frame in client.frames if frame.get("event") == "chat"]
    assert chats[-1]["payload"]["state"] == "final"


async def test_protocol_4_forgets_runs_across_restart() -> None:
    async with GatewaySimulator(protocol=4) as gateway:
        gateway.run("hi", Reply("done"))
        await gateway.restart()
        async with raw_client(gateway.url) as client:
            await client.handshake()
            params = {"sessionKey": "agent:main:main"}
            history = (await client.request("chat.history", params))["payload"]
    assert gateway.runs.by_id == {}
    assert history["messages"][-1]["content"][0]["text"] == "done"


async def test_crash_ends_runs_but_keeps_history(
    gateway: GatewaySimulator,
) -> None:
    run = gateway.run("hi", Reply("half"), Tool("look"), Reply("lost"), Pause())
    async with raw_client(gateway.url) as client:
        await client.handshake()
        await gateway.wait_paused()
        await gateway.crash()
        assert await _wait_closed(client) == (1006, "")
    await gateway.resume()
    async with raw_client(gateway.url) as client:
        hello = await client.handshake()
        params = {"sessionKey": "agent:main:main"}
        history = (await client.request("chat.history", params))["payload"]
        wait = {"runId": run.run_id, "timeoutMs": 0}
        waited = (await client.request("agent.wait", wait))["payload"]
    assert hello["payload"]["snapshot"]["uptimeMs"] < 60_000
    texts = [message["content"][0]["text"] for message in history["messages"][1:]]
    assert texts == ["half"]
    assert waited["status"] == "timeout"


@pytest.mark.parametrize(("resume", "fresh"), [(True, {4}), (False, {3, 4})])
async def test_uptime_starts_with_process(
    protocol: int, gateway: GatewaySimulator, *, resume: bool, fresh: set[int]
) -> None:
    await gateway.restart(resume=resume)
    if not resume:
        await gateway.resume()
    async with raw_client(gateway.url) as client:
        hello = await client.handshake()
    assert (hello["payload"]["snapshot"]["uptimeMs"] < 60_000) is (protocol in fresh)


async def test_mute_gateway_reads_but_does_not_send(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        gateway.mute()
        await client.send("health")
        await gateway.wait_for_request("health")
        gateway.broadcast("tick", {"ts": 1})
        gateway.unmute()
        gateway.broadcast("tick", {"ts": 2})
        assert (await client.event("tick"))["payload"] == {"ts": 2}
    assert not any(
        frame["type"] == "res" and frame["ok"] and "snapshot" not in frame["payload"]
        for frame in client.frames
    )


async def test_held_request_is_answered_late(gateway: GatewaySimulator) -> None:
    gateway.hold("health")
    async with raw_client(gateway.url) as client:
        await client.handshake()
        held = await client.send("health")
        await gateway.wait_for_request("health")
        assert (await client.request("agents.list"))["ok"]
        gateway.release("health")
        assert (await client.response(held))["ok"]


async def test_response_can_be_duplicated(gateway: GatewaySimulator) -> None:
    gateway.duplicate("agents.list")
    async with raw_client(gateway.url) as client:
        await client.handshake()
        id_ = await client.send("agents.list")
        assert await client.response(id_) == await client.response(id_)


async def test_unknown_response_can_be_sent(gateway: GatewaySimulator) -> None:
    unknown = {"type": "res", "id": "unknown", "ok": True, "payload": {}}
    gateway.before("agents.list", unknown)
    async with raw_client(gateway.url) as client:
        await client.handshake()
        id_ = await client.send("agents.list")
        assert await client.response("unknown") == unknown
        assert (await client.response(id_))["ok"]


async def test_event_can_follow_response_immediately(gateway: GatewaySimulator) -> None:
    gateway.after("agents.list", ("tick", {"ts": 7}))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        response = await client.request("agents.list")
        following = await client.receive()
    assert response["ok"]
    assert following["payload"] == {"ts": 7}


async def test_response_can_be_edited(gateway: GatewaySimulator) -> None:
    gateway.edit("agents.list", lambda payload: payload.update(agents=[]))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        response = await client.request("agents.list")
    assert response["payload"]["agents"] == []


@pytest.mark.parametrize(
    "malformed", ["{", "[]", '"text"', '{"type": "other"}', b"\xff"]
)
async def test_malformed_frames_are_sent_unchanged(
    gateway: GatewaySimulator, malformed: str | bytes
) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        await client.request("agents.list")
        gateway.send_raw(malformed)
        received: list[str | bytes] = []
        while malformed not in received:
            received.append(await client.connection.recv())


async def test_tick_interval_follows_policy(protocol: int) -> None:
    policy = {"tickIntervalMs": 1}
    async with (
        GatewaySimulator(protocol=protocol, policy=policy) as gateway,
        raw_client(gateway.url) as client,
    ):
        await client.handshake()
        await client.event("tick")
        await client.event("tick")


async def test_oversized_frame_closes_connection(protocol: int) -> None:
    async with (
        GatewaySimulator(protocol=protocol, policy={"maxPayload": 2000}) as gateway,
        raw_client(gateway.url) as client,
    ):
        await client.handshake()
        await client.send("agent", {"message": "x" * 2000, "idempotencyKey": "a"})
        assert (await _wait_closed(client))[0] == 1009


async def test_outer_seq_counts_events(
    protocol: int, gateway: GatewaySimulator
) -> None:
    async with raw_client(gateway.url) as first, raw_client(gateway.url) as second:
        await first.handshake()
        await first.run("say: one two")
        await second.handshake()
        await second.run("say: one two")
    seqs = [frame["seq"] for frame in second.frames if "seq" in frame]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert (seqs[0] == 1) is (protocol == 4)


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("agent", {"message": "hi"}, "must have required property 'idempotencyKey'"),
        (
            "agent",
            {"message": "hi", "idempotencyKey": "a", "options": {}},
            "at root: unexpected property 'options'",
        ),
        (
            "agent",
            {"message": "hi", "idempotencyKey": "a", "agentId": "unknown"},
            'unknown agent id "unknown"',
        ),
        ("agent.wait", {}, "must have required property 'runId'"),
        ("chat.history", {"sessionKey": "x", "a": 1}, "unexpected property 'a'"),
    ],
)
async def test_invalid_parameters_are_rejected(
    gateway: GatewaySimulator, method: str, params: Frame, message: str
) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        response = await client.request(method, params)
    assert response["error"]["code"] == "INVALID_REQUEST"
    assert message in response["error"]["message"]


async def test_malformed_request_is_rejected(
    gateway: GatewaySimulator,
) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        frame = {"type": "req", "id": "1", "method": "health", "extra": 1}
        await client.connection.send(orjson.dumps(frame), text=True)
        response = await client.response("1")
    assert response["error"]["message"].startswith("invalid request frame")


@pytest.mark.parametrize(
    ("scopes", "method", "missing"),
    [
        (["operator.read"], "agent", "operator.write"),
        (["operator.read", "operator.write"], "device.pair.list", "operator.pairing"),
        (["operator.read", "operator.write"], "no.such.method", "operator.admin"),
    ],
)
async def test_missing_scope_is_named(
    protocol: int,
    gateway: GatewaySimulator,
    scopes: list[str],
    method: str,
    missing: str,
) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake(scopes=scopes)
        error = (await client.request(method))["error"]
    assert error["message"] == f"missing scope: {missing}"
    assert error["code"] == {3: "INVALID_REQUEST", 4: "FORBIDDEN"}[protocol]


async def test_unknown_method_is_reported_to_admin(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake(scopes=["operator.admin"])
        error = (await client.request("no.such.method"))["error"]
    assert error["message"] == "unknown method: no.such.method"


async def test_protocol_3_sends_health_event_after_request() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        await client.handshake()
        await client.event("health")
        await client.request("health")
        await client.event("health")


async def test_history_ends_with_last_message(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        for text in ("one", "two"):
            await client.run(f"say: {text}")
        params = {"sessionKey": "agent:main:main", "limit": 1}
        history = (await client.request("chat.history", params))["payload"]
    assert [item["content"][0]["text"] for item in history["messages"]] == ["two"]


async def test_sessions_are_listed(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        for name in ("a", "b"):
            await client.run("hi", sessionKey=f"agent:main:{name}")
        listed = await client.request("sessions.list", {"limit": 1})
    assert listed["payload"]["count"] == 1


async def test_protocol_4_patches_session() -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        await client.handshake()
        params = {"key": "agent:main:a", "model": "mock/other"}
        response = await client.request("sessions.patch", params)
    assert response["payload"]["entry"]["model"] == "mock/other"


async def _fail_request(payload: Frame) -> None:
    """Fail a request inside the simulator."""
    async with GatewaySimulator() as gateway, raw_client(gateway.url) as client:
        await client.handshake()
        gateway.edit("agents.list", lambda _: payload["missing"])
        await client.send("agents.list")
        await client.request("health")


async def test_simulator_error_is_raised() -> None:
    with pytest.raises(KeyError, match="missing"):
        await _fail_request({})


@pytest.mark.parametrize(
    ("protocol", "number"), [(3, signal.SIGINT), (4, signal.SIGTERM)]
)
def test_program_prints_url_and_ends_on_signal(
    protocol: int, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "tests.simulator", "--protocol", str(protocol)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        line = orjson.loads(process.stdout.readline())
        process.send_signal(number)
        assert process.wait(5) == 0
    assert line["url"] == f"ws://127.0.0.1:{line['port']}"
    assert line["protocol"] == protocol


async def test_held_frames_are_released_in_any_stream_order(
    gateway: GatewaySimulator,
) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        gateway.wire_faults.hold()
        for event, number in (("one", 1), ("one", 2), ("two", 1), ("two", 2)):
            gateway.broadcast(event, {"number": number})
        gateway.wire_faults.release([1, 1])
        await client.event("one")
        await client.receive_until(lambda frame: frame["payload"] == {"number": 2})
    received = [
        (f.get("event"), f["payload"].get("number")) for f in client.frames[-4:]
    ]
    assert received == [("two", 1), ("two", 2), ("one", 1), ("one", 2)]


async def test_frame_can_be_duplicated_or_truncated(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        gateway.wire_faults.duplicate_next = 1
        for number in range(2):
            gateway.broadcast("note", {"number": number})
        frames = [await client.event("note") for _ in range(3)]
        assert [frame["payload"]["number"] for frame in frames] == [0, 0, 1]
        gateway.wire_faults.truncate_next = 1
        gateway.broadcast("note", {"number": 2})
        with pytest.raises(orjson.JSONDecodeError):
            await client.event("note")
