"""Gateways to play the same scenarios on: the real ones and the simulated ones."""

import asyncio
from base64 import urlsafe_b64encode
import json
from signal import SIGCONT, SIGSTOP, SIGUSR1
from typing import Protocol

from custom_components.clawd.gateway import MIN_PROTOCOL
from tests.simulator import GatewaySimulator, Step

from .gateways import Gateway


class Stage(Protocol):
    """A Gateway that obeys a scenario."""

    name: str
    protocol: int
    port: int
    token: str

    def expect(self, *script: Step) -> None:
        """Say what a simulated model will do; a real one reads it in the message."""

    async def approve(self, request_id: str) -> None:
        """Approve a pairing."""

    async def print_setup_code(self) -> str:
        """Return a setup code (v4)."""

    async def stop(self) -> None:
        """Stop the Gateway."""

    async def kill(self) -> None:
        """End the Gateway by force."""

    async def start(self) -> None:
        """Start the Gateway again."""

    async def restart(self) -> None:
        """Let the Gateway restart, as it does when it is asked to."""

    def freeze(self) -> None:
        """Let the Gateway do nothing, with all connections open."""

    def thaw(self) -> None:
        """Let the Gateway go on."""


class RealStage:
    """A real Gateway."""

    def __init__(self, gateway: Gateway) -> None:
        """Play on a Gateway that runs."""
        self._gateway = gateway
        self.name = f"v{gateway.protocol}"
        self.protocol = gateway.protocol
        self.port = gateway.port
        self.token = gateway.token

    def expect(self, *script: Step) -> None:
        """Leave it to the message."""

    async def approve(self, request_id: str) -> None:
        """Approve a pairing."""
        await asyncio.to_thread(self._gateway.approve, request_id)

    async def print_setup_code(self) -> str:
        """Return a setup code."""
        return await asyncio.to_thread(self._gateway.print_setup_code)

    async def stop(self) -> None:
        """Stop the Gateway."""
        await asyncio.to_thread(self._gateway.stop)

    async def kill(self) -> None:
        """End the Gateway by force."""
        await asyncio.to_thread(self._gateway.kill)

    async def start(self) -> None:
        """Start the Gateway again."""
        await asyncio.to_thread(self._gateway.start)

    async def restart(self) -> None:
        """Restart: v3 in its process, v4 after it has let the runs end."""
        if self.protocol == MIN_PROTOCOL:
            self._gateway.signal(SIGUSR1)
            return
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Stop the process."""
        self._gateway.signal(SIGSTOP)

    def thaw(self) -> None:
        """Continue the process."""
        self._gateway.signal(SIGCONT)


class SimulatedStage:
    """A simulated Gateway."""

    def __init__(self, simulator: GatewaySimulator) -> None:
        """Play on a simulator that runs."""
        self._simulator = simulator
        self.name = f"simulated v{simulator.protocol}"
        self.protocol = simulator.protocol
        self.port = simulator.port
        self.token = simulator.token

    def expect(self, *script: Step) -> None:
        """Play this script for the next run."""
        self._simulator.script_once(*script)

    async def approve(self, request_id: str) -> None:
        """Approve a pairing."""
        self._simulator.approve(request_id)

    async def print_setup_code(self) -> str:
        """Return a setup code."""
        self._simulator.devices.bootstrap_tokens.add("bootstrap")
        payload = {"url": self._simulator.url, "bootstrapToken": "bootstrap"}
        return urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")

    async def stop(self) -> None:
        """Stop the Gateway."""
        await self._simulator.restart(resume=False)

    async def kill(self) -> None:
        """End the Gateway by force."""
        await self._simulator.crash()

    async def start(self) -> None:
        """Start the Gateway again."""
        await self._simulator.resume()

    async def restart(self) -> None:
        """Restart."""
        await self._simulator.restart()

    def freeze(self) -> None:
        """Say nothing."""
        self._simulator.mute()

    def thaw(self) -> None:
        """Speak again."""
        self._simulator.unmute()
