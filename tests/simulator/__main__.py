"""Command line of the simulator: ``python -m tests.simulator``."""

import argparse
import asyncio
import signal
import sys

import orjson

from .script import Reply
from .server import GatewaySimulator


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--protocol", type=int, choices=(3, 4), default=4)
    parser.add_argument("--token", default="gateway-token")
    parser.add_argument("--delay-ms", type=int, default=30, help="delay between words")
    parser.add_argument("--reply", help="fixed reply to every message")
    parser.add_argument("--pairing", action="store_true", help="devices need approval")
    return parser.parse_args()


async def _main(arguments: argparse.Namespace) -> None:
    """Run the simulator until a signal arrives."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with GatewaySimulator(
        protocol=arguments.protocol,
        token=arguments.token,
        port=arguments.port,
        delay=arguments.delay_ms / 1000,
        pairing=arguments.pairing,
    ) as gateway:
        if arguments.reply:
            gateway.script(Reply(arguments.reply))
        info = {
            "url": gateway.url,
            "port": gateway.port,
            "protocol": gateway.protocol,
        }
        sys.stdout.write(orjson.dumps(info).decode() + "\n")
        sys.stdout.flush()
        await stop.wait()


asyncio.run(_main(_arguments()))
