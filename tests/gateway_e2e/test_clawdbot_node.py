"""Node connection to Clawdbot."""

import pytest

from .gateway_harness import GatewayHarness
from .nodes import new_home, started


@pytest.mark.parametrize("protocol", [3], ids=["v3"])
async def test_method_is_missing(harness: GatewayHarness) -> None:
    async with started(new_home(harness)) as home:
        assert home.host.method_missing
        assert home.host.published == ()
        assert home.client.statistics.drops == 0
