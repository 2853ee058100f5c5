"""False alarms of self-tests.

A real Home Assistant for each Gateway; questions are asked between the self-tests and
during them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
import json
import secrets
from subprocess import PIPE
import sys
from typing import Any, Final

from scripts.home_assistant import journey
from scripts.home_assistant.api import ApiError, HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import boot
from scripts.home_assistant.console import Console, StepError
from scripts.home_assistant.folder import ROOT
from scripts.home_assistant.gateway import Gateway
from scripts.home_assistant.processes import child
from scripts.home_assistant.reply import Reply, ReplyError, ask

from .report import print_table

ADVICE: Final = "run it for this Gateway alone, by --gateways, and see its log"
HEADERS: Final = (
    "Gateway",
    "self-tests",
    "drills",
    "questions",
    "lost replies",
    "false alarms",
    "skipped",
    "",
)
FINE: Final = ("pass", "skip")
ROUNDS: Final = 10
NO_AGENT: Final = "intent-not-supported"
POLL_INTERVAL: Final = 0.02
PAUSES: Final = (0.1, 0.3, 0.6, 0.9, 1.3)


@dataclass(frozen=True)
class Kind:
    """Kind of Gateway: its command, and the prompt that it repeats."""

    name: str
    command: tuple[str, ...]
    prompt: str


KINDS: Final = {
    "simulated-v3": Kind(
        "simulated v3", ("tests.simulator", "--protocol", "3"), "say: "
    ),
    "simulated-v4": Kind(
        "simulated v4", ("tests.simulator", "--protocol", "4"), "say: "
    ),
    "clawdbot": Kind(
        "Clawdbot", ("tests.gateway_e2e", "run", "--protocol", "3"), "say "
    ),
    "openclaw": Kind(
        "OpenClaw", ("tests.gateway_e2e", "run", "--protocol", "4"), "say "
    ),
}


@dataclass
class Tally:
    """Counts of one Gateway.

    Attributes:
        troubles: texts of the false alarms and lost replies.
        alarms: checks that neither passed nor were skipped, and suspects.
        lost: questions without their reply.
        repeated: how often a question was asked while the entry was reloaded.

    """

    tests: Counter[str] = field(default_factory=Counter)
    questions: int = 0
    repeated: int = 0
    lost: int = 0
    alarms: int = 0
    troubles: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, mode: str, report: dict[str, Any]) -> None:
        """Add the report of a self-test."""
        self.tests[mode] += 1
        number = self.tests[mode]
        for check in report["checks"]:
            if check["status"] == "skip":
                self.skipped[f"{check['id']}: {check['message']}"] += 1
            if check["status"] not in FINE:
                self._alarm(f"{mode} {number}: {describe(check)}")
        for sentence in report["suspects"]:
            self._alarm(f"{mode} {number}: suspects: {sentence}")

    def count_lost(self, text: str) -> None:
        """Count a lost reply."""
        self.lost += 1
        self.troubles.append(f"question {self.questions}: {text}")

    def _alarm(self, text: str) -> None:
        self.alarms += 1
        self.troubles.append(text)

    @property
    def summary(self) -> str:
        """Return the counts so far."""
        return (
            f"{self.tests['active']} self-tests, {self.tests['drill']} drills, "
            f"{self.questions} questions: {self.alarms} false alarms, "
            f"{self.lost} lost"
        )

    def row(self, name: str) -> tuple[str, ...]:
        """Return the row of the table."""
        counts = (
            self.tests["active"],
            self.tests["drill"],
            self.questions,
            self.lost,
            self.alarms,
            self.skipped.total(),
        )
        verdict = "missed" if self.lost or self.alarms else "met"
        return (name, *map(str, counts), verdict)


def describe(check: dict[str, Any]) -> str:
    """Return a check with its value and message."""
    value = f"{check['observed_value']} {check['observed_unit'] or ''}".strip()
    details = "; ".join(check.get("details", ()))
    text = f"{check['status']} {check['id']} ({check['origin']}): {value}"
    return f"{text}: {check['message']} {details}".rstrip()


class Home:
    """A Home Assistant with a healthy Gateway."""

    def __init__(self, api: HomeAssistantApi, entry_id: str, pipeline: str) -> None:
        """Use the entry and its assistant."""
        self._api = api
        self._entry_id = entry_id
        self._pipeline = pipeline
        self._tested = asyncio.Event()
        self.tally = Tally()

    async def round(self, prompt: str, tests: int, drills: int) -> None:
        """Run self-tests with questions in between."""
        for mode in ["active"] * tests + ["drill"] * drills:
            await self._ask(prompt)
            self._tested.clear()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._test(mode))
                number = self.tally.tests[mode]
                if number % 2:  # every other self-test is left alone
                    pause = _pause(mode, number // 2)
                    group.create_task(self._ask_now_and_then(prompt, pause))

    async def _test(self, mode: str) -> None:
        report = await journey.self_test(self._api, self._entry_id, mode)
        self.tally.add(mode, report)
        self._tested.set()

    async def _ask_now_and_then(self, prompt: str, pause: float) -> None:
        """Ask until the self-test has ended, after a pause each time."""
        while not self._tested.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._tested.wait()
            await self._ask(prompt)

    async def _ask(self, prompt: str) -> None:
        self.tally.questions += 1
        number = self.tally.questions
        text = f"Answer {number} has seven words in it."
        try:
            reply = await self._ask_once_there_is_an_agent(prompt + text)
        except ReplyError as err:
            self.tally.count_lost(str(err))
        else:
            if reply.text != text:
                self.tally.count_lost(repr(reply.text))

    async def _ask_once_there_is_an_agent(self, message: str) -> Reply:
        while True:
            try:
                return await ask(self._api, self._pipeline, message, _ignore)
            except ApiError as err:
                # While a drill reloads the entry, nobody can be asked.
                if NO_AGENT not in str(err):
                    raise
                self.tally.repeated += 1
                await asyncio.sleep(POLL_INTERVAL)


async def run_self_tests(
    console: Console, *, tests: int, drills: int, gateways: Sequence[str]
) -> int:
    """Test each kind of Gateway; return the exit status."""
    tallies: dict[str, Tally] = {}
    error: StepError | None = None
    for kind in (KINDS[name] for name in gateways):
        try:
            async with _home_with(kind, console) as home:
                tallies[kind.name] = home.tally
                await _rounds(home, kind, (tests, drills), console)
        except StepError as err:
            error = err
            console.line(str(err))
            for note in getattr(err.__cause__, "__notes__", ()):
                console.line(note)
    for name, tally in tallies.items():
        _print_details(console, name, tally)
    rows = [tally.row(name) for name, tally in tallies.items()]
    print_table(console, HEADERS, rows)
    return int(error is not None or any(row[-1] == "missed" for row in rows))


async def _rounds(
    home: Home, kind: Kind, totals: tuple[int, int], console: Console
) -> None:
    rounds = min(ROUNDS, max(totals))
    for index in range(rounds):
        async with console.step(f"{kind.name} {index + 1}/{rounds}", ADVICE) as step:
            tests, drills = (
                total * (index + 1) // rounds - total * index // rounds
                for total in totals
            )
            known = len(home.tally.troubles)
            try:
                await home.round(kind.prompt, tests, drills)
            except ExceptionGroup as group:
                raise group.exceptions[0] from None
            finally:
                step.detail = home.tally.summary
                for text in home.tally.troubles[known:]:
                    console.line(f"{kind.name}: {text}")


@asynccontextmanager
async def _home_with(kind: Kind, console: Console) -> AsyncGenerator[Home]:
    async with AsyncExitStack() as stack:
        async with console.step(kind.name, ADVICE) as step:
            gateway = await stack.enter_async_context(_gateway(kind))
            running = await stack.enter_async_context(boot())
            api, _ = await stack.enter_async_context(connect_new_user(running.url))
            entry = await journey.add_gateway(api, gateway.fields, console.line)
            _, pipeline = await journey.create_assistant(api, entry["entry_id"])
            step.detail = f"{entry['title']} is loaded"
        yield Home(api, entry["entry_id"], pipeline)


@asynccontextmanager
async def _gateway(kind: Kind) -> AsyncIterator[Gateway]:
    token = secrets.token_hex()
    command = [sys.executable, "-m", *kind.command, "--token", token]
    async with child(command, ROOT, PIPE) as process:
        line = await process.stdout.readline() if process.stdout else b""
        if not line:
            raise ApiError("the Gateway ended before it listened")
        yield Gateway.from_url(json.loads(line)["url"], token)


def _print_details(console: Console, name: str, tally: Tally) -> None:
    console.line(f"{name}: asked {tally.repeated} times while the entry was reloaded")
    for reason, count in sorted(tally.skipped.items()):
        console.line(f"{name}: skipped {count} times: {reason}")


def _pause(mode: str, number: int) -> float:
    """Return the seconds until a question.

    A drill skips what a question would disturb, so each question meets another part.
    """
    return PAUSES[number % len(PAUSES)] if mode == "drill" else 0.0


def _ignore(_: str) -> None:
    """Ignore a part of a reply."""
