"""A live system in which faults are planted."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.coordinator import ClawdRuntime
from tests.simulator import GatewaySimulator

from .states import CONNECTIVITY, wait_for_state

type Plant = Callable[[Live], Awaitable[None]]


@dataclass
class Live:
    """The live system, and what undoes the fault."""

    hass: HomeAssistant
    entry: MockConfigEntry
    gateway: GatewaySimulator
    monkeypatch: pytest.MonkeyPatch
    afterwards: AsyncExitStack

    @property
    def runtime(self) -> ClawdRuntime:
        """Return what the entry holds at present."""
        runtime: ClawdRuntime = self.entry.runtime_data
        return runtime

    async def reconnect(self) -> None:
        """Drop the connection and wait for what comes of it."""
        self.gateway.drop()
        await wait_for_state(self.hass, CONNECTIVITY, "off")

    async def reconnected(self) -> None:
        """Drop the connection and wait for the next one."""
        await self.reconnect()
        await self.runtime.client.wait_connected()


@dataclass(frozen=True)
class Fault:
    """A fault, and the check that must see it, with the status that it then has.

    `protocols` are those it can be planted on; one of them is enough, unless what
    the check looks at `differs` between them.
    """

    plant: Plant
    check: str
    status: str = "fail"
    mode: str = "active"
    protocols: tuple[int, ...] = (3, 4)
    differs: bool = False

    @property
    def name(self) -> str:
        """Return the name of the fault."""
        return self.plant.__name__

    @property
    def text(self) -> str:
        """Return what the fault does."""
        return str(self.plant.__doc__).removesuffix(".")


def held_back(live: Live, method: str) -> None:
    """Let a request wait for an answer that does not come."""

    async def ask() -> None:
        await live.runtime.client.request(method)

    live.gateway.hold(method)
    task = asyncio.create_task(ask())
    live.afterwards.callback(task.cancel)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until a condition holds of which nobody tells."""
    while not condition():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
