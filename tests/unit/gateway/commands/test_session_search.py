"""Search for sessions by key."""

import pytest

from custom_components.clawd.gateway.commands import FoundSession, SessionCommands
from tests.simulator import GatewaySimulator
from tests.simulator.runs import Session
from tests.unit.clients import client_of, running

from .test_automation import answering


@pytest.mark.parametrize("protocol", [4])
async def test_archived_sessions_are_found_too(gateway: GatewaySimulator) -> None:
    now = gateway.now_ms()
    for number, archived_at in enumerate((0, 1)):
        key = f"agent:main:ha-task-{number}"
        session = Session(key, updated_at=now - 5_000, archived_at=archived_at)
        gateway.runs.sessions[key] = session
    gateway.runs.sessions["agent:main:main"] = Session("agent:main:main")
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        found = await client.sessions.search("ha-task-")
    assert [session.key[-1] for session in found] == ["0", "1"]
    assert [5 <= session.age < 60 for session in found] == [True, True]
    assert "ha-task" not in str(found)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"sessions": {}, "ts": 1},
        {"sessions": [{"key": "a-b", "updatedAt": 1}]},
        {"sessions": ["a-b", {"key": "a-b"}, {"key": 1, "updatedAt": 1}], "ts": 1},
        # A Gateway that does not search returns all.
        {"sessions": [{"key": "other", "updatedAt": 1}], "ts": 1},
    ],
)
async def test_what_cannot_be_read_is_none(payload: object) -> None:
    assert await SessionCommands(answering(payload)).search("a-") == ()


async def test_the_age_is_by_the_clock_of_the_gateway() -> None:
    payload = {"sessions": [{"key": "a-b", "updatedAt": 1_000}], "ts": 3_500}
    found = FoundSession("a-b", 2.5)
    assert await SessionCommands(answering(payload)).search("a-") == (found, found)
