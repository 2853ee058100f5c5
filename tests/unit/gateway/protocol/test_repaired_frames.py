"""Repair of lenient JSON."""

import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.clawd.gateway import InvalidFrameError, RunRequest
from custom_components.clawd.gateway.protocol.frames import (
    Event,
    decode_frame,
    repair_json,
)
from tests.simulator import Ack, GatewaySimulator, Reply
from tests.simulator.recordings import Frame
from tests.unit.clients import client_of, connected, running

KEY = "agent:main:ha-repair"
HALF, REPAIRED = "half \ud83d end", "half \ufffd end"
DEEP = "[" * 10_000 + "]" * 10_000


def event(value: str) -> bytes:
    return f'{{"type":"event","event":"note","payload":{{"value":{value}}}}}'.encode()


def decoded(value: str) -> object:
    frame = decode_frame(repair_json(event(value)))
    assert isinstance(frame, Event)
    return frame.payload["value"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"half \ud83d end"', REPAIRED),
        (r'"\udc00\ud83d"', "\ufffd\ufffd"),
        (r'"\ud83d\ude00 whole"', "\U0001f600 whole"),
        (r'"a \\ud83d path"', r"a \ud83d path"),
        ('{"\\ud83d":1}', {"\ufffd": 1}),
        ('"tab\tand \x01"', "tab\tand \x01"),
        ("NaN", None),
        ("-Infinity", None),
        ("1e999", None),
        ("1e308", 1e308),
        ("9" * 400, None),
        ("9" * 5_000, None),
        ('NaN,"n":' + "1" * 30, None),
        ('{"a":1,"a":NaN}', {"a": None}),
    ],
)
def test_a_value_is_repaired(written: str, read: object) -> None:
    assert decoded(written) == read


def test_bytes_that_are_not_utf_8_are_repaired() -> None:
    data = b'\xef\xbb\xbf{"type":"event","event":"note","payload":{"v":"\xff\xed\xa0"}}'
    frame = decode_frame(repair_json(data))
    assert set(frame.payload["v"]) == {"\ufffd"}


@pytest.mark.parametrize("data", [b"", b"hello", event(DEEP), event("[" * 1_000_000)])
def test_what_no_reader_takes_is_an_error(data: bytes) -> None:
    with pytest.raises(InvalidFrameError) as caught:
        decode_frame(repair_json(data))
    assert caught.value.code == "NOT_JSON"


@given(st.binary() | st.text().map(lambda text: json.dumps(text).encode()))
def test_no_data_raises_anything_else(data: bytes) -> None:
    try:
        repair_json(data)
    except InvalidFrameError:
        return


@given(st.text(st.characters()) | st.text("\ud83d\ude00\\ud8ax"))
def test_a_text_is_repaired_alike_however_it_is_escaped(text: str) -> None:
    escaped = decoded(json.dumps(text))
    assert escaped == decoded(json.dumps(decoded(json.dumps(text))))
    assert "\ufffd" in str(escaped) or escaped == text


def set_presence(hello: Frame) -> None:
    hello["snapshot"]["presence"] = [{"host": HALF}]


async def test_half_a_character_in_hello_keeps_nobody_out(
    gateway: GatewaySimulator,
) -> None:
    gateway.edit("hello-ok", set_presence)
    async with connected(gateway) as client:
        await client.request("health")
    assert client.statistics.repaired_frames == 1
    assert client.statistics.invalid_frames == 0


async def test_half_a_character_in_the_challenge_keeps_nobody_out(
    gateway: GatewaySimulator,
) -> None:
    gateway.edit("connect.challenge", lambda payload: payload.update(note=HALF))
    async with connected(gateway) as client:
        assert client.statistics.repaired_frames == 1


async def test_an_agent_may_be_called_half_a_character(
    gateway: GatewaySimulator,
) -> None:
    def rename(payload: Frame) -> None:
        payload["agents"][0] |= {"name": HALF, "identity": {"name": HALF}}

    gateway.edit("agents.list", rename)
    async with connected(gateway) as client:
        assert (await client.agents.list()).agents[0].name == REPAIRED


async def test_a_reply_with_half_a_character_arrives(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(chunks=("half \ud83d", " end")))
    async with connected(gateway) as client:
        run = await client.start_run(RunRequest("Go", KEY))
        told = "".join([text async for text in run])
        assert told == (await run.result()).text == REPAIRED
    assert client.statistics.repaired_frames > 0
    assert client.statistics.sequence_gaps == 0


async def test_a_run_is_recovered_from_a_history_with_half_a_character(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(chunks=("half \ud83d",)), Ack(), Reply(chunks=(" end",)))
    gateway.hold("agent")
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        gateway.release("agent")
        run = await client.start_run(RunRequest(f"say {HALF}", KEY))
        gateway.drop()
        assert (await run.result()).text == REPAIRED
    [sent, *_] = gateway.received("agent")
    assert sent.params["message"] == f"say {REPAIRED}"


UNREADABLE = '{{"type":"res","id":"{}","ok":true,"payload":{}}}'


async def test_a_response_that_cannot_be_decoded_fails_its_request_at_once(
    gateway: GatewaySimulator,
) -> None:
    gateway.hold("health")
    async with connected(gateway) as client:
        gateway.send_raw(UNREADABLE.format("nobody", DEEP))
        request = client.request("health", timeout=60)
        # The client's first request was `connect`.
        gateway.send_raw(UNREADABLE.format("2", DEEP))
        with pytest.raises(InvalidFrameError):
            await request
        assert client.statistics.invalid_frames == 2
        assert client.introspection.pending == ()
        gateway.release("health")


@pytest.mark.parametrize("first", [True, False])
async def test_a_run_whose_response_cannot_be_decoded_is_recovered(
    gateway: GatewaySimulator, *, first: bool
) -> None:
    def spoil(_: Frame) -> None:
        gateway.send_raw(UNREADABLE.format("2", DEEP))

    gateway.script(Reply("It is on."))
    if first:
        gateway.edit("agent accepted", spoil)
    else:
        gateway.script(Reply("It is on."), Ack())
        gateway.before("agent", UNREADABLE.format("2", DEEP))
    async with connected(gateway) as client:
        run = await client.start_run(RunRequest("Go", KEY))
        assert (await run.result()).text == "It is on."
    assert client.statistics.invalid_frames == 1


async def test_a_frame_that_cannot_be_decoded_makes_no_gap(
    gateway: GatewaySimulator,
) -> None:
    note: dict[str, Any] = {"type": "event", "event": "note", "payload": {}}
    async with connected(gateway) as client:
        client.subscribe("note", lambda _: None)
        for frame in (note | {"seq": 1_000}, note | {"seq": 1_002}):
            gateway.send_raw(json.dumps(frame, separators=(",", ":")))
            gateway.send_raw(json.dumps(note | {"seq": 1_001})[:-1])
        await client.request("health")
        assert client.statistics.invalid_frames == 2
        assert client.statistics.sequence_gaps == 0
