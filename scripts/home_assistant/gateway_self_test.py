"""Self-test of a Gateway without Home Assistant."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
import os
import ssl
import sys
from time import perf_counter
from typing import Any, Final, cast

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_TOKEN

from custom_components.clawd.const import VERSION
from custom_components.clawd.gateway import (
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    GatewayError,
)
from custom_components.clawd.reports import Mode
from custom_components.clawd.selftest.model import CheckContext, Component
from custom_components.clawd.selftest.registry import CHECKS
from custom_components.clawd.selftest.report import build_report
from custom_components.clawd.selftest.runner import run_checks
from custom_components.clawd.selftest.texts import text_key

from .console import Color, Console
from .folder import ROOT
from .gateway import Gateway
from .options import TOKEN_VARIABLE
from .report import passed, print_report, summary

TEXTS: Final = ROOT / "custom_components" / "clawd" / "translations" / "en.json"


@dataclass
class Runtime:
    """Runtime data for the checks of a Gateway."""

    client: GatewayClient
    credentials: Credentials
    events_before: dict[str, int] = field(default_factory=dict)


@dataclass(eq=False)
class Entry:
    """Stand-in for a config entry."""

    runtime_data: Runtime
    data: dict[str, str] = field(repr=False)
    entry_id: str = "none"
    state: ConfigEntryState = ConfigEntryState.LOADED


async def run(gateway: Gateway) -> dict[str, Any]:
    """Connect to a Gateway and test it.

    Raises:
        GatewayError: the connection failed.

    """
    context = ssl.create_default_context() if gateway.ssl else None
    endpoint = Endpoint(gateway.host, gateway.port, context)
    credentials = Credentials(
        DeviceIdentity.generate(), ClientInfo(VERSION), gateway.token
    )
    client = GatewayClient(endpoint, credentials)
    async with _running(client):
        return await _test(Runtime(client, credentials), gateway.token)


@asynccontextmanager
async def _running(client: GatewayClient) -> AsyncIterator[None]:
    task = asyncio.create_task(client.run())
    try:
        await client.wait_connected(retry=False)
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _test(runtime: Runtime, token: str) -> dict[str, Any]:
    entry = cast("Any", Entry(runtime, {CONF_TOKEN: token}))
    context = CheckContext(cast("Any", None), entry, Mode.ACTIVE)
    checks = [
        check
        for check in CHECKS
        if check.component is Component.GATEWAY and Mode.ACTIVE.includes(check.mode)
    ]
    started_at, started = datetime.now(UTC), perf_counter()
    with context.watch:
        await run_checks(checks, context)
    return build_report(context, _texts(), started_at, perf_counter() - started)


def _texts() -> dict[str, str]:
    texts = json.loads(TEXTS.read_text("utf-8"))["exceptions"]
    return {text_key(key): value["message"] for key, value in texts.items()}


def parse(arguments: Sequence[str] | None = None) -> tuple[Gateway, bool]:
    """Parse the command line: the Gateway, and `--json`."""
    parser = argparse.ArgumentParser(prog="scripts/selftest", description=__doc__)
    parser.add_argument(
        "--gateway", required=True, metavar="URL", help="such as ws://127.0.0.1:18789"
    )
    parser.add_argument(
        "--token",
        default=os.environ.get(TOKEN_VARIABLE),
        help=f"its token; safer in {TOKEN_VARIABLE} of the environment",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)
    if not options.token:
        parser.error(f"--token, or {TOKEN_VARIABLE}, is needed")
    try:
        return Gateway.from_url(options.gateway, options.token), options.json
    except ValueError as err:
        parser.error(f"--gateway: {err}")


def main() -> int:
    """Test the Gateway of the command line."""
    gateway, as_json = parse()
    console = Console(sys.stderr if as_json else sys.stdout)
    try:
        report = asyncio.run(run(gateway))
    except GatewayError as err:
        text = f"No connection: {type(err).__name__} {err.code}"
        console.line(console.paint(text, Color.BAD))
        return 1
    if as_json:
        sys.stdout.write(f"{json.dumps(report, indent=2)}\n")
    else:
        print_report(console, report)
        console.line(summary(report))
    return 0 if passed(report) else 1


if __name__ == "__main__":
    sys.exit(main())
