"""Fuzzing of JSON from the Gateway."""

import asyncio

from tests.stateful.json_fuzz import json_fuzz

CASES = 100


async def test_no_json_ends_the_client(protocol: int) -> None:
    asyncio.get_running_loop().set_debug(False)  # it triples the time
    async with json_fuzz(protocol) as fuzz:
        for _ in range(CASES):
            await fuzz.case()
        await fuzz.check()
        assert fuzz.cases.total() == CASES
        assert len(fuzz.cases) > 10
