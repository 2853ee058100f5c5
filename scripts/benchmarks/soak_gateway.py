"""Simulated Gateway of the soak test."""

import asyncio
import logging
import signal
import sys

from tests.simulator import GatewaySimulator

DROP = signal.SIGUSR1  # drops all clients
TOKEN = "soak"  # noqa: S105 - of this process alone
WORD_DELAY = 0.002


async def main(protocol: int) -> None:
    """Print the port and serve until terminated."""
    # asyncio warns about each write to a dropped client.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    async with GatewaySimulator(
        protocol=protocol, token=TOKEN, delay=WORD_DELAY
    ) as gateway:
        asyncio.get_running_loop().add_signal_handler(DROP, gateway.drop)
        sys.stdout.write(f"{gateway.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
