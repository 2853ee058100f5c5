"""Real Gateways as processes on loopback, each with a scripted model."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
import json
import os
from pathlib import Path
import secrets
from signal import SIGKILL, SIGTERM, Signals
import socket
import subprocess
import sys
import tempfile
import time
from typing import Final

from .editions import EDITIONS
from .install import NODE, install_gateway

ROOT: Final = Path(__file__).parents[2]
START_TIMEOUT: Final = 90.0
STOP_TIMEOUT: Final = 10.0
POLL_INTERVAL: Final = 0.1


class GatewayProcessError(Exception):
    """A Gateway did not start."""


class Gateway:
    """One real Gateway on a port of loopback, with its files in one folder."""

    def __init__(  # noqa: PLR0913 - a Gateway has that many sides
        self,
        protocol: int,
        folder: Path,
        model_url: str,
        *,
        port: int,
        token: str,
        mode: str = "token",
    ) -> None:
        """Write the configuration; nothing runs before `start()`.

        In the mode `password`, the token is to be shown as a password.
        """
        self.protocol = protocol
        self.url = f"ws://127.0.0.1:{port}"
        self.port = port
        self.token = token
        self.model_url = model_url
        self.log = folder / "output.log"
        edition = EDITIONS[protocol]
        self._folder = folder
        self._command = [str(NODE), str(edition.folder / edition.program)]
        self._environment = edition.build_environment(folder)
        self._process: subprocess.Popen[bytes]
        config = edition.build_config(
            folder, port, {"mode": mode, mode: token}, model_url
        )
        (folder / "config.json").write_text(json.dumps(config))

    def revive(self) -> None:
        """Start the Gateway again if it has ended."""
        if self._process.poll() is not None:
            self.start()

    def start(self) -> None:
        """Start the Gateway and wait until it is ready.

        Raises:
            GatewayProcessError: it ended, or is not ready in time.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, "gateway", "run"],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End the Gateway, by force if its drain takes too long."""
        self.signal(SIGTERM)
        self._ended_within(STOP_TIMEOUT)
        self.kill()

    def kill(self) -> None:
        """End all that belongs to the Gateway, by force."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, SIGKILL)
        self._process.wait()

    def signal(self, number: Signals) -> None:
        """Send a signal to the Gateway; SIGSTOP mutes it, SIGCONT lets it speak."""
        self._process.send_signal(number)

    def approve(self, request_id: str) -> None:
        """Approve a pairing with the Gateway's own command, as its user does."""
        self._tell("devices", "approve", request_id)

    def print_setup_code(self) -> str:
        """Return a setup code from the Gateway's own command (v4)."""
        return self._tell("qr", "--setup-code-only", "--url", self.url).strip()

    def _tell(self, *arguments: str) -> str:
        """Run the Gateway's own command and return what it prints."""
        return subprocess.run(
            [*self._command, *arguments],
            cwd=self._folder,
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._is_ready():
            if self._ended_within(POLL_INTERVAL) or time.monotonic() > deadline:
                raise GatewayProcessError(f"no Gateway:\n{self.log.read_text()}")

    def _is_ready(self) -> bool:
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as http:
                http.request("GET", "/readyz")
                return http.getresponse().status == HTTPStatus.OK
        except OSError, HTTPException:
            return False

    def _ended_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def find_free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def serve_model() -> Iterator[str]:
    """Run the scripted model and yield its base URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.gateway_e2e.model"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as model:
        assert model.stdout is not None
        try:
            yield model.stdout.readline().strip()
        finally:
            model.kill()


@contextmanager
def serve_gateway(
    protocol: int,
    *,
    port: int | None = None,
    token: str | None = None,
    mode: str = "token",
) -> Iterator[Gateway]:
    """Run a Gateway and its model, installed first if they are not."""
    install_gateway(protocol)
    with serve_model() as model_url, tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(
            protocol,
            Path(folder),
            model_url,
            port=port or find_free_port(),
            token=token or secrets.token_hex(),
            mode=mode,
        )
        gateway.start()
        try:
            yield gateway
        finally:
            gateway.stop()
