"""Demo in a real Home Assistant."""

import asyncio
from contextlib import AsyncExitStack, suppress
from itertools import chain
import json
import secrets
import sys
import time
from time import perf_counter
from typing import Any

from . import home, journey
from .api import HomeAssistantApi, connect, create_user
from .boot import RunningHomeAssistant, boot
from .console import Color, Console, StepError
from .gateway import Gateway, simulated_gateway
from .options import Options, parse_options
from .processes import SIGNALLED, until_signalled
from .reply import Reply, ask
from .report import passed, print_report, summary

USERNAME = "demo"
SEE_LOG = "see the end of Home Assistant's log"


class Demo:
    """One run of the demo."""

    def __init__(self, options: Options, console: Console) -> None:
        """Show the demo on a console."""
        self._options = options
        self._console = console
        self._password = secrets.token_urlsafe(9)
        self._secrets = {self._password}

    async def run(self) -> int:
        """Run the demo; return the exit status."""
        try:
            async with AsyncExitStack() as stack:
                await self._show(stack)
                async with self._console.step("Stopping", "end the processes by hand"):
                    await stack.aclose()
        except StepError as err:
            self._print_failure(err)
            return 1
        return 0

    async def _show(self, stack: AsyncExitStack) -> None:
        seconds = {"setup": time.time() - self._options.started}
        started = perf_counter()
        gateway = await self._start_gateway(stack)
        running, api, version = await self._start_home_assistant(stack)
        seconds["boot"] = perf_counter() - started
        document = {"home_assistant": version, **await self._go(api, gateway)}
        seconds["demo"] = perf_counter() - started - seconds["boot"]
        document["seconds"] = {name: round(s, 2) for name, s in seconds.items()}
        if self._options.json:
            sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
            sys.stdout.flush()
        if self._options.serve:
            await self._serve(running)
        if not passed(document["self_test"]):
            raise StepError("Self-test", "see the table", "see the hints in the table")

    async def _start_gateway(self, stack: AsyncExitStack) -> Gateway:
        gateway = self._options.gateway
        if gateway is None:
            advice = "run python -m tests.simulator by hand"
            async with self._console.step("Simulated Gateway", advice) as step:
                gateway = await stack.enter_async_context(simulated_gateway())
                step.detail = f"listens on {gateway.host}:{gateway.port}"
        self._secrets.add(gateway.token)
        return gateway

    async def _start_home_assistant(
        self, stack: AsyncExitStack
    ) -> tuple[RunningHomeAssistant, HomeAssistantApi, str]:
        async with self._console.step("Home Assistant", SEE_LOG) as step:
            running = await stack.enter_async_context(
                boot(package=self._options.package, configuration=home.CONFIGURATION)
            )
            step.detail = f"answers on {running.url}"
        async with self._console.step("Onboarding", SEE_LOG) as step:
            token = await create_user(running.url, USERNAME, self._password)
            self._secrets.add(token)
            api = await stack.enter_async_context(connect(running.url, token))
            version = await api.wait_until_running()
            step.detail = f"user {USERNAME}; Home Assistant {version} is running"
        return running, api, version

    async def _go(self, api: HomeAssistantApi, gateway: Gateway) -> dict[str, Any]:
        """Take a new user's steps; return their results."""
        simulated = self._options.gateway is None
        access = "control" if simulated else "none"
        advice = "check that the Gateway runs, its address and its token"
        async with self._console.step("Config flow", advice) as step:
            entry = await journey.add_gateway(
                api, gateway.fields, self._console.line, access
            )
            step.detail = f"{entry['title']} is loaded"
        entry_id: str = entry["entry_id"]
        async with self._console.step("Assistant", SEE_LOG) as step:
            agent, pipeline = await journey.create_assistant(api, entry_id)
            step.detail = f"talks to {agent}"
        reply = await self._ask(api, pipeline)
        # A model may do something else than the simulated agent.
        done = await self._use_home(api, entry_id, pipeline) if simulated else None
        async with self._console.step("Self-test", SEE_LOG) as step:
            report = await journey.self_test(api, entry_id)
            print_report(self._console, report)
            step.detail = summary(report)
        async with self._console.step("Diagnostics", SEE_LOG) as step:
            path, size = await journey.save_diagnostics(api, entry_id)
            step.detail = f"{path} ({size / 1024:.1f} kB)"
        return {
            "integration": report["version"],
            "gateway": report["gateway"],
            "reply": reply.as_dict(),
            "home": done,
            "self_test": report,
            "diagnostics": path,
        }

    async def _ask(self, api: HomeAssistantApi, pipeline: str) -> Reply:
        message = self._options.message
        advice = f"{SEE_LOG}, and the Gateway's: does its model answer?"
        async with self._console.step("Question", advice) as step:
            self._console.write(f"  You:   {message}\n  Clawd: ")
            try:
                reply = await ask(api, pipeline, message, self._console.write)
            finally:
                self._console.line()
            first, total = round(reply.first_delta_ms), round(reply.total_ms)
            step.detail = f"{reply.deltas} deltas, first in {first}, all in {total} ms"
        return reply

    async def _use_home(
        self, api: HomeAssistantApi, entry_id: str, pipeline: str
    ) -> dict[str, Any]:
        async with self._console.step("Home", SEE_LOG) as step:
            done = await home.use_home(api, entry_id, pipeline, self._console.write)
            step.detail = (
                "the agent turned on the light, and unlocked the door only when it "
                "was told again"
            )
        return done

    async def _serve(self, running: RunningHomeAssistant) -> None:
        self._console.line(
            f"\nHome Assistant runs on {running.url}\n"
            f"  user {USERNAME}, password {self._password}\n"
            "Ctrl-C ends it."
        )
        with suppress(asyncio.CancelledError):
            status = await running.process.wait()
            raise StepError("Home Assistant", f"it ended with status {status}", SEE_LOG)
        self._console.line()

    def _print_failure(self, error: StepError) -> None:
        notes = (getattr(e, "__notes__", ()) for e in (error.__cause__, error))
        text = "\n".join([str(error), *chain.from_iterable(notes)])
        for secret in self._secrets - {""}:
            text = text.replace(secret, "***")
        self._console.line(self._console.paint(text, Color.BAD))


def main() -> int:
    """Run the demo from the command line."""
    options = parse_options()
    console = Console(sys.stderr if options.json else sys.stdout)
    status = asyncio.run(until_signalled(Demo(options, console).run()))
    if status > SIGNALLED:
        console.line("Interrupted; nothing is left running.")
    return status


if __name__ == "__main__":
    sys.exit(main())
