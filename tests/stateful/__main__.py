"""JSON fuzzing: `python -m tests.stateful [CASES]`."""

import asyncio
import sys
from typing import Final

from .json_fuzz import json_fuzz

CASES: Final = 20_000
CHECK_EVERY: Final = 50


async def fuzz(protocol: int, cases: int) -> str:
    """Run cases and return a summary."""
    async with json_fuzz(protocol) as fuzz:
        for number in range(cases):
            try:
                await fuzz.case()
                if number % CHECK_EVERY == 0 or number == cases - 1:
                    await fuzz.check()
            except BaseException:
                sys.stderr.write(f"protocol {protocol}, case {number}: {fuzz.last}\n")
                raise
        return f"protocol {protocol}: {fuzz.summary()}"


async def main(cases: int) -> None:
    """Run the cases of both protocols."""
    for protocol in (3, 4):
        print(await fuzz(protocol, cases // 2))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else CASES))
