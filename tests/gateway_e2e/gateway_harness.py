"""Uniform control of real and simulated Gateways."""

import asyncio
from base64 import urlsafe_b64encode
import json
from signal import SIGCONT, SIGSTOP, SIGUSR1
from typing import Final, Protocol

from custom_components.clawd.gateway import MIN_PROTOCOL
from tests.simulator import GatewaySimulator, Refuse, Step

from .gateways import Gateway

NOT_YET: Final = Refuse("Agent database open was revoked", "UNAVAILABLE")


class GatewayHarness(Protocol):
    """Gateway controlled by a test."""

    name: str
    protocol: int
    port: int
    token: str

    def set_script(self, *script: Step) -> None:
        """Set the simulated model's script.

        A real model reads its script from the message.
        """

    def set_early_refusal(self) -> None:
        """Let the simulated Gateway refuse the next run, as one that starts.

        A real one does so some times.
        """

    def write_file(self, name: str, mime_type: str, content: bytes) -> None:
        """Write a file into the workspace of the agents."""

    async def approve(self, request_id: str) -> None:
        """Approve a pairing request."""

    async def reject(self, request_id: str) -> None:
        """Reject a pairing request."""

    async def print_setup_code(self) -> str:
        """Return a setup code (v4)."""

    async def stop(self) -> None:
        """Stop the Gateway."""

    async def kill(self) -> None:
        """Kill the Gateway."""

    async def start(self) -> None:
        """Start the Gateway again."""

    async def restart(self) -> None:
        """Restart the Gateway gracefully."""

    def freeze(self) -> None:
        """Suspend the Gateway; its connections stay open."""

    def thaw(self) -> None:
        """Resume the Gateway."""


class RealGatewayHarness:
    """Control of a real Gateway."""

    def __init__(self, gateway: Gateway) -> None:
        """Control a running Gateway."""
        self._gateway = gateway
        self.name = f"v{gateway.protocol}"
        self.protocol = gateway.protocol
        self.port = gateway.port
        self.token = gateway.token

    def set_script(self, *script: Step) -> None:
        """Do nothing; the model reads the message."""

    def set_early_refusal(self) -> None:
        """Do nothing; the Gateway decides."""

    def write_file(self, name: str, mime_type: str, content: bytes) -> None:  # noqa: ARG002 - the Gateway finds the type
        """Write a file into the workspace of the agents."""
        self._gateway.write_file(name, content)

    async def approve(self, request_id: str) -> None:
        """Approve a pairing request."""
        await asyncio.to_thread(self._gateway.approve, request_id)

    async def reject(self, request_id: str) -> None:
        """Reject a pairing request."""
        await asyncio.to_thread(self._gateway.reject, request_id)

    async def print_setup_code(self) -> str:
        """Return a setup code."""
        return await asyncio.to_thread(self._gateway.print_setup_code)

    async def stop(self) -> None:
        """Stop the Gateway."""
        await asyncio.to_thread(self._gateway.stop)

    async def kill(self) -> None:
        """Kill the Gateway."""
        await asyncio.to_thread(self._gateway.kill)

    async def start(self) -> None:
        """Start the Gateway again."""
        await asyncio.to_thread(self._gateway.start)

    async def restart(self) -> None:
        """Restart the Gateway: v3 in-process, v4 after its runs."""
        if self.protocol == MIN_PROTOCOL:
            self._gateway.signal(SIGUSR1)
            return
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Suspend the process."""
        self._gateway.signal(SIGSTOP)

    def thaw(self) -> None:
        """Resume the process."""
        self._gateway.signal(SIGCONT)


class SimulatedGatewayHarness:
    """Control of a simulated Gateway."""

    def __init__(self, simulator: GatewaySimulator) -> None:
        """Control a running simulator."""
        self._simulator = simulator
        self.name = f"simulated v{simulator.protocol}"
        self.protocol = simulator.protocol
        self.port = simulator.port
        self.token = simulator.token

    def set_script(self, *script: Step) -> None:
        """Set the script of the next run."""
        self._simulator.script_once(*script)

    def set_early_refusal(self) -> None:
        """Refuse the next run."""
        self._simulator.script_once(NOT_YET)

    def write_file(self, name: str, mime_type: str, content: bytes) -> None:
        """Write a file into the workspace of the agents."""
        self._simulator.http.files[f"./{name}"] = (mime_type, content)

    async def approve(self, request_id: str) -> None:
        """Approve a pairing request."""
        self._simulator.approve(request_id)

    async def reject(self, request_id: str) -> None:
        """Reject a pairing request."""
        self._simulator.reject(request_id)

    async def print_setup_code(self) -> str:
        """Return a setup code."""
        self._simulator.devices.bootstrap_tokens.add("bootstrap")
        payload = {"url": self._simulator.url, "bootstrapToken": "bootstrap"}
        return urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")

    async def stop(self) -> None:
        """Stop the Gateway."""
        await self._simulator.restart(resume=False)

    async def kill(self) -> None:
        """Drop all connections and runs."""
        await self._simulator.crash()

    async def start(self) -> None:
        """Start the Gateway again."""
        await self._simulator.resume()

    async def restart(self) -> None:
        """Restart the Gateway."""
        await self._simulator.restart()

    def freeze(self) -> None:
        """Stop sending."""
        self._simulator.mute()

    def thaw(self) -> None:
        """Send again."""
        self._simulator.unmute()
