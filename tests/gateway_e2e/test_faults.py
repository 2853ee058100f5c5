"""Test of what comes of a run when something goes wrong in the middle of it."""

import asyncio

import pytest

from custom_components.clawd.gateway import Endpoint

from .clients import client_at, new_credentials, running
from .fault_table import FaultTable
from .faults import FAULTS
from .gateway_harness import Stage
from .relay import Relay
from .scenario import Scene


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest) -> str:
    """Return the name of each fault."""
    return str(request.param)


async def test_a_run_ends_as_it_must_after_a_fault(
    fault: str, stage: Stage, session_key: str, fault_table: FaultTable
) -> None:
    case = FAULTS[fault]
    credentials = new_credentials(stage.token)
    async with Relay(stage.port, down=case.down) as relay:
        port = relay.port if case.relayed else stage.port
        endpoint = Endpoint("127.0.0.1", port)
        async with (
            running(client_at(endpoint, credentials, case.timing)) as client,
            Scene(stage, relay, client, credentials, session_key) as scene,
        ):
            await case.provoke(scene)
            healed_at = asyncio.get_running_loop().time()
            endings = [await listener.ending() for listener in scene.listeners]
            fault_table.note(fault, stage.name, endings[-1], healed_at)
            for listener, ending in zip(scene.listeners, endings, strict=True):
                assert ending.code == case.codes.get(stage.protocol)
                reply = listener.case.replies[stage.protocol]
                assert ending.code or ending.text == reply
            assert client.introspection.runs == ()
