"""Command line of the demo."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
import os
from pathlib import Path
import time

from .gateway import Gateway

TOKEN_VARIABLE = "CLAWD_TOKEN"  # noqa: S105
MESSAGE = "Say hello to my home, and tell me in two sentences what you can do for it."


@dataclass(frozen=True)
class Options:
    """Options; the default Gateway is simulated."""

    gateway: Gateway | None
    message: str
    serve: bool
    json: bool
    started: float
    package: Path | None = None


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    gateway = None
    if parsed.gateway is not None:
        token = parsed.token or os.environ.get(TOKEN_VARIABLE)
        if not token:
            parser.error(f"--gateway needs --token, or {TOKEN_VARIABLE}")
        try:
            gateway = Gateway.from_url(parsed.gateway, token)
        except ValueError as err:
            parser.error(f"--gateway: {err}")
    return Options(
        gateway,
        parsed.message,
        parsed.serve,
        parsed.json,
        parsed.started,
        parsed.package,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Demonstrate Clawd in a real Home Assistant: set-up, a streamed "
        "reply, a self-test and the diagnostics; with the simulated Gateway, the agent "
        "also turns on a light, and asks before it unlocks a door.",
    )
    parser.add_argument(
        "--gateway",
        metavar="URL",
        help="a real Gateway, such as ws://127.0.0.1:18789; default: a simulated one",
    )
    parser.add_argument(
        "--token",
        help=f"the Gateway's token; safer in {TOKEN_VARIABLE} of the environment",
    )
    parser.add_argument("--message", default=MESSAGE, help="the question")
    parser.add_argument(
        "--serve",
        action="store_true",
        help="leave Home Assistant running until Ctrl-C",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON document on stdout; progress goes to stderr",
    )
    parser.add_argument(
        "--package",
        type=Path,
        metavar="ZIP",
        help="the component of a package; default: that of the repository",
    )
    parser.add_argument(
        "--started", type=float, default=time.time(), help=argparse.SUPPRESS
    )
    return parser
