"""Real Gateway processes, each with a scripted model."""

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

from .editions import EDITIONS, Config, add_images
from .install import NODE, install_gateway

ROOT: Final = Path(__file__).parents[2]
LOOPBACK: Final = ("127.0.0.1",)
# A start takes 15 s of a quiet machine, and most of its processors.
START_TIMEOUT: Final = 180.0
# It finishes its runs first, which takes a busy machine longer.
STOP_TIMEOUT: Final = 30.0
POLL_INTERVAL: Final = 0.1


class GatewayProcessError(Exception):
    """Failed start of a Gateway."""


class Gateway:
    """Real Gateway process on a loopback port."""

    def __init__(  # noqa: PLR0913 - all keyword options of one process
        self,
        protocol: int,
        folder: Path,
        model_url: str,
        *,
        port: int,
        token: str,
        mode: str = "token",
        proxies: tuple[str, ...] = LOOPBACK,
        settings: Config | None = None,
        images: bool = False,
    ) -> None:
        """Write the configuration; `start()` runs the process.

        In mode `password`, the token is the password; the `proxies` are trusted;
        `settings` are further sections of the configuration. With `images` (v4), the
        model also makes them.
        """
        self.protocol = protocol
        self.url = f"ws://127.0.0.1:{port}"
        self.port = port
        self.token = token
        self.model_url = model_url
        self.log = folder / "output.log"
        # Whether its agents have answered since its start.
        self.answers = False
        edition = EDITIONS[protocol]
        self._folder = folder
        self._command = [str(NODE), str(edition.folder / edition.program)]
        self._environment = edition.build_environment(folder)
        self._process: subprocess.Popen[bytes]
        config = edition.build_config(
            folder, port, {"mode": mode, mode: token}, model_url
        )
        config["gateway"]["trustedProxies"] = proxies
        config |= settings or {}
        if images:
            add_images(config, model_url)
        (folder / "config.json").write_text(json.dumps(config))

    def ensure_running(self) -> None:
        """Start the Gateway again if it has exited."""
        if self._process.poll() is not None:
            self.start()

    def start(self) -> None:
        """Start the Gateway and wait until it is ready.

        Raises:
            GatewayProcessError: the process exited, or is not ready in time.
        """
        self.answers = False
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
        """Stop the Gateway; kill it after a timeout."""
        self.signal(SIGTERM)
        self._exited_within(STOP_TIMEOUT)
        self.kill()

    def kill(self) -> None:
        """Kill the Gateway's process group."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, SIGKILL)
        self._process.wait()

    def signal(self, number: Signals) -> None:
        """Send a signal to the Gateway; SIGSTOP suspends it."""
        self._process.send_signal(number)

    def write_file(self, name: str, content: bytes) -> None:
        """Write a file into the workspace of the agents."""
        workspace = self._folder / "workspace"
        workspace.mkdir(exist_ok=True)
        (workspace / name).write_bytes(content)

    def approve(self, request_id: str) -> None:
        """Approve a pairing request with the Gateway's command."""
        self._run_command("devices", "approve", request_id)

    def reject(self, request_id: str) -> None:
        """Reject a pairing request with the Gateway's command."""
        self._run_command("devices", "reject", request_id)

    def print_setup_code(self) -> str:
        """Return a setup code from the Gateway's command (v4)."""
        return self._run_command("qr", "--setup-code-only", "--url", self.url).strip()

    def _run_command(self, *arguments: str) -> str:
        """Run a command of the Gateway and return its output."""
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
            if self._exited_within(POLL_INTERVAL) or time.monotonic() > deadline:
                raise GatewayProcessError(f"Gateway not ready:\n{self.log.read_text()}")

    def _is_ready(self) -> bool:
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as http:
                http.request("GET", "/readyz")
                return http.getresponse().status == HTTPStatus.OK
        except OSError, HTTPException:
            return False

    def _exited_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def find_free_port() -> int:
    """Return an unused loopback port."""
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
def serve_gateway(  # noqa: PLR0913 - each has a default
    protocol: int,
    *,
    port: int | None = None,
    token: str | None = None,
    mode: str = "token",
    proxies: tuple[str, ...] = LOOPBACK,
    settings: Config | None = None,
    images: bool = False,
) -> Iterator[Gateway]:
    """Run a Gateway and its model, installed if necessary."""
    install_gateway(protocol)
    with serve_model() as model_url, tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(
            protocol,
            Path(folder),
            model_url,
            port=port or find_free_port(),
            token=token or secrets.token_hex(),
            mode=mode,
            proxies=proxies,
            settings=settings,
            images=images,
        )
        gateway.start()
        try:
            yield gateway
        finally:
            gateway.stop()
