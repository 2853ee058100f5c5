"""Gateway of the demo."""

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
    """The simulated Gateway ended before it listened."""


@dataclass(frozen=True)
class Gateway:
    """Address and token of a Gateway."""

    host: str
    port: int
    ssl: bool
    token: str = field(repr=False)

    @classmethod
    def from_url(cls, url: str, token: str) -> Gateway:
        """Parse a WebSocket URL.

        Raises:
            ValueError: the URL is not of the form ws://host:port or wss://host:port.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"ws", "wss"} or not parts.hostname or not parts.port:
            raise ValueError("it has to be ws://host:port or wss://host:port")
        return cls(parts.hostname, parts.port, parts.scheme == "wss", token)

    @property
    def fields(self) -> dict[str, str]:
        """Return the input of the config flow."""
        scheme = "wss" if self.ssl else "ws"
        address = f"{scheme}://{netloc(self.host, self.port)}"
        return {"address": address, "token": self.token}


@asynccontextmanager
async def simulated_gateway() -> AsyncIterator[Gateway]:
    """Run the simulated Gateway in its own process."""
    token = secrets.token_hex()
    command = [*SIMULATOR, *SIMULATOR_OPTIONS, "--token", token]
    async with child(command, ROOT, PIPE) as process:
        line = await process.stdout.readline() if process.stdout else b""
        if not line:
            raise SimulatorError("the simulated Gateway ended before it listened")
        yield Gateway.from_url(json.loads(line)["url"], token)
