"""Live system for planting faults."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.coordinator import ClawdRuntime
from custom_components.clawd.gateway import (
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
)
from tests.simulator import GatewaySimulator

from .report_assertions import Expected
from .states import CONNECTIVITY, wait_for_state

type Inject = Callable[[FaultHarness], Awaitable[None]]


@dataclass
class FaultHarness:
    """Live system, and the cleanup of its faults."""

    hass: HomeAssistant
    entry: MockConfigEntry
    gateway: GatewaySimulator
    monkeypatch: pytest.MonkeyPatch
    cleanup: AsyncExitStack

    @property
    def runtime(self) -> ClawdRuntime:
        """Return the present runtime of the entry."""
        runtime: ClawdRuntime = self.entry.runtime_data
        return runtime

    async def drop_connection(self) -> None:
        """Drop the connection and wait until the client notices."""
        self.gateway.drop()
        await wait_for_state(self.hass, CONNECTIVITY, "off")

    async def reconnect(self) -> None:
        """Drop the connection and wait for the next one."""
        await self.drop_connection()
        await self.runtime.client.wait_connected()

    def send_unanswered(self, method: str) -> None:
        """Send a request that the Gateway does not answer."""

        async def request() -> None:
            await self.runtime.client.request(method)

        self.gateway.hold(method)
        task = asyncio.create_task(request())
        self.cleanup.callback(task.cancel)

    def start_stray_task(self) -> None:
        """Start an endless task of our code without an owner."""
        task = asyncio.create_task(stray_client().wait_connected())
        self.cleanup.callback(task.cancel)


@dataclass(frozen=True)
class Fault:
    """Fault, and the check that must fail, with its report.

    Attributes:
        status: of the check.
        mode: of the self-test.
        protocols: on which it can be injected; the last one is enough.
        settings: of the agent.
        differs: the code under the check differs between the protocols.

    """

    inject: Inject
    check: str
    expected: Expected
    status: str = "fail"
    mode: str = "active"
    protocols: tuple[int, ...] = (3, 4)
    differs: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name of the fault."""
        return self.inject.__name__

    @property
    def text(self) -> str:
        """Return the description of the fault."""
        return str(self.inject.__doc__).removesuffix(".")


def stray_client() -> GatewayClient:
    """Return a client that never connects."""
    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("0"))
    return GatewayClient(Endpoint("127.0.0.1", 9), credentials)


async def poll(condition: Callable[[], bool]) -> None:
    """Let the event loop run until a condition holds."""
    while not condition():  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0)
