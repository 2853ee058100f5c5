"""The Gateway that the demo talks to: a given one, or the simulated one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
import secrets
from subprocess import PIPE
import sys
from urllib.parse import urlsplit

from custom_components.clawd.gateway import netloc

from .folder import ROOT
from .processes import child

SIMULATOR = [sys.executable, "-m", "tests.simulator"]
SIMULATOR_OPTIONS = ["--port", "0", "--protocol", "4", "--delay-ms", "30"]


class SimulatorError(Exception):
    """A simulated Gateway that ended before it listened."""


@dataclass(frozen=True)
class Gateway:
    """Where a Gateway listens and the token it expects."""

    host: str
    port: int
    ssl: bool
    token: str = field(repr=False)

    @classmethod
    def from_url(cls, url: str, token: str) -> Gateway:
        """Read a WebSocket URL.

        Raises:
            ValueError: the URL is not of the form ws://host:port or wss://host:port.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"ws", "wss"} or not parts.hostname or not parts.port:
            raise ValueError("it has to be ws://host:port or wss://host:port")
        return cls(parts.hostname, parts.port, parts.scheme == "wss", token)

    @property
    def fields(self) -> dict[str, str]:
        """Return what the config flow asks for."""
        scheme = "wss" if self.ssl else "ws"
        address = f"{scheme}://{netloc(self.host, self.port)}"
        return {"address": address, "token": self.token}


@asynccontextmanager
async def simulated_gateway() -> AsyncIterator[Gateway]:
    """Run the simulated Gateway as a process of its own."""
    token = secrets.token_hex()
    command = [*SIMULATOR, *SIMULATOR_OPTIONS, "--token", token]
    async with child(command, ROOT, PIPE) as process:
        line = await process.stdout.readline() if process.stdout else b""
        if not line:
            raise SimulatorError("the simulated Gateway ended before it listened")
        yield Gateway.from_url(json.loads(line)["url"], token)
