"""Test of runs under faults."""

import asyncio

import pytest

from custom_components.clawd.gateway import Endpoint

from .clients import client_at, new_credentials, running
from .fault_table import FaultTable
from .faults import FAULTS
from .gateway_harness import GatewayHarness
from .relay import Relay
from .scenario import RunScenario


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest) -> str:
    """Return the name of each fault."""
    return str(request.param)


async def test_run_recovers_or_fails_as_specified(
    fault: str, harness: GatewayHarness, session_key: str, fault_table: FaultTable
) -> None:
    case = FAULTS[fault]
    credentials = new_credentials(harness.token)
    async with Relay(harness.port, down=case.down) as relay:
        port = relay.port if case.relayed else harness.port
        endpoint = Endpoint("127.0.0.1", port)
        async with (
            running(client_at(endpoint, credentials, case.timing)) as client,
            RunScenario(harness, relay, client, credentials, session_key) as scenario,
        ):
            await case.inject(scenario)
            recovered_at = asyncio.get_running_loop().time()
            outcomes = [await reader.outcome() for reader in scenario.readers]
            fault_table.record(fault, harness.name, outcomes[-1], recovered_at)
            for reader, outcome in zip(scenario.readers, outcomes, strict=True):
                assert outcome.code == case.codes.get(harness.protocol)
                reply = reader.case.replies[harness.protocol]
                assert outcome.code or outcome.text == reply
            assert client.introspection.runs == ()
