"""Gateways to play the same scenarios on: the real ones and the simulated ones."""

import asyncio
from typing import Protocol

from tests.simulator import GatewaySimulator, Step

from .gateways import Gateway


class Stage(Protocol):
    """A Gateway that obeys a scenario."""

    protocol: int
    port: int
    token: str

    def expect(self, *script: Step) -> None:
        """Say what a simulated model will do; a real one reads it in the message."""

    async def approve(self, request_id: str) -> None:
        """Approve a pairing."""

    async def stop(self) -> None:
        """Stop the Gateway."""

    async def start(self) -> None:
        """Start the Gateway again."""


class RealStage:
    """A real Gateway."""

    def __init__(self, gateway: Gateway) -> None:
        """Play on a Gateway that runs."""
        self._gateway = gateway
        self.protocol = gateway.protocol
        self.port = gateway.port
        self.token = gateway.token

    def expect(self, *script: Step) -> None:
        """Leave it to the message."""

    async def approve(self, request_id: str) -> None:
        """Approve a pairing."""
        await asyncio.to_thread(self._gateway.approve, request_id)

    async def stop(self) -> None:
        """Stop the Gateway."""
        await asyncio.to_thread(self._gateway.stop)

    async def start(self) -> None:
        """Start the Gateway again."""
        await asyncio.to_thread(self._gateway.start)


class SimulatedStage:
    """A simulated Gateway."""

    def __init__(self, simulator: GatewaySimulator) -> None:
        """Play on a simulator that runs."""
        self._simulator = simulator
        self.protocol = simulator.protocol
        self.port = simulator.port
        self.token = simulator.token

    def expect(self, *script: Step) -> None:
        """Play this script for the next run."""
        self._simulator.script_once(*script)

    async def approve(self, request_id: str) -> None:
        """Approve a pairing."""
        self._simulator.approve(request_id)

    async def stop(self) -> None:
        """Stop the Gateway."""
        await self._simulator.suspend()
        self._simulator.drop()

    async def start(self) -> None:
        """Start the Gateway again."""
        await self._simulator.resume()
