"""Sessions of the simulated Gateway."""

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

from tests.simulator import Drop, GatewaySimulator, Pause, Reply, Retry, Tool
from tests.simulator.raw_client import raw_client, replies


async def test_run_continues_without_client(
    protocol: int, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("half"), Drop(), Pause(), Reply(chunks=(" whole",)))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        await gateway.wait_paused()
        with pytest.raises(ConnectionClosed):
            await client.receive_until(lambda _: False)
        assert client.connection.close_code == 1006
    async with raw_client(gateway.url) as client:
        await client.handshake()
        id_ = await client.send("agent.wait", {"runId": "a", "timeoutMs": 5000})
        await gateway.wait_for_request("agent.wait")
        gateway.proceed()
        result = (await client.response(id_))["payload"]
    assert result["status"] == "ok"
    assert client.deltas[-1] == " whole"
    if protocol == 4:
        assert result["terminalReply"]["text"] == "half whole"


async def test_protocol_3_history_starts_with_first_answer() -> None:
    async with GatewaySimulator(protocol=3) as gateway:
        gateway.run("hi", Reply("half"), Pause(), Tool("look"), Pause())
        async with raw_client(gateway.url) as client:
            await client.handshake()
            roles = []
            for _ in range(2):
                await gateway.wait_paused()
                params = {"sessionKey": "agent:main:main"}
                history = (await client.request("chat.history", params))["payload"]
                roles.append([message["role"] for message in history["messages"]])
                gateway.proceed()
                await asyncio.sleep(0)
    assert roles == [[], ["user", "assistant"]]


async def test_every_client_receives_foreign_run(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as one, raw_client(gateway.url) as other:
        await one.handshake()
        await other.handshake()
        run = gateway.run("hi", Reply("done"))
        for client in (one, other):
            event = await client.event("agent")
            assert event["payload"]["runId"] == run.run_id


async def test_runs_of_session_are_queued(gateway: GatewaySimulator) -> None:
    gateway.script_once(Pause(), Reply("first"))
    async with raw_client(gateway.url) as client:
        await client.handshake()
        for key in ("a", "b"):
            await client.send("agent", {"message": "say: x", "idempotencyKey": key})
        await gateway.wait_paused()
        gateway.proceed()
        while len(client.agent_events("lifecycle")) < 4:
            await client.receive()
    order = [
        frame["payload"]["runId"]
        for frame in client.frames
        if frame.get("event") == "agent"
    ]
    assert order == sorted(order)


async def test_idempotency_key_runs_once(
    protocol: int, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("done"))
    async with raw_client(gateway.url) as client:
        await client.handshake()
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


async def test_protocol_4_aborts_run() -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Reply("half"), Pause())
        await client.handshake()
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


async def test_abort_starts_next_run() -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script_once(Pause())
        await client.handshake()
        await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        id_ = await client.send("agent", {"message": "say: x", "idempotencyKey": "b"})
        await gateway.wait_paused()
        await client.request(
            "chat.abort", {"sessionKey": "agent:main:main", "runId": "a"}
        )
        assert replies(await client.response(id_)) == ["x"]


async def test_protocol_3_does_not_abort_agent_run() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Pause(), Reply("done"))
        await client.handshake()
        id_ = await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        await gateway.wait_paused()
        params = {"sessionKey": "agent:main:main", "runId": "a"}
        aborted = await client.request("chat.abort", params)
        gateway.proceed()
        final = await client.response(id_)
    assert aborted["payload"]["aborted"] is False
    assert replies(final) == ["done"]


async def test_wait_for_unknown_run_times_out(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        await client.handshake()
        response = await client.request("agent.wait", {"runId": "x", "timeoutMs": 1})
    assert response["payload"] == {"runId": "x", "status": "timeout"}


async def test_protocol_3_wait_returns_at_first_end() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Retry(), Pause(), Reply("late"))
        await client.handshake()
        await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        await gateway.wait_paused()
        response = await client.request("agent.wait", {"runId": "a", "timeoutMs": 5000})
    assert response["payload"]["status"] == "ok"


async def test_protocol_3_stop_command_stops_run() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Reply("half"), Pause())
        await client.handshake()
        id_ = await client.send("agent", {"message": "hi", "idempotencyKey": "a"})
        await gateway.wait_paused()
        params = {"sessionKey": "agent:main:main", "idempotencyKey": "b"}
        other = await client.request("chat.send", {"message": "go on", **params})
        sent = await client.request("chat.send", {"message": "[x] /stop", **params})
        final = await client.response(id_)
    assert "error" in other
    assert sent["payload"]["status"] == "started"
    assert final["payload"]["result"]["meta"]["aborted"] is True
    assert replies(final) == []
