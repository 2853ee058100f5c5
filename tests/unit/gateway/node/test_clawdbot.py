"""Node connection to Clawdbot."""

import pytest

from tests.simulator import GatewaySimulator
from tests.simulator.nodes import UPDATE
from tests.unit.gateway.node.homes import home_of, started


@pytest.mark.parametrize("protocol", [3])
async def test_method_is_missing(gateway: GatewaySimulator) -> None:
    async with started(home_of(gateway)) as home:
        await home.client.wait_connected()
        assert home.host.method_missing
        assert home.host.published == ()
    assert gateway.received(UPDATE) == []
