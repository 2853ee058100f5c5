"""Home Assistant process with a temporary config folder."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import STDOUT
from tempfile import TemporaryDirectory
from typing import IO

import aiohttp

from .folder import ALL_BUT_THE_USER, HOST, ROOT, prepare_folder, skip_onboarding_steps
from .processes import child, free_port

POLL_INTERVAL = 0.05
# Each is answered only then.
BEFORE_ONBOARDING = "api/onboarding"
AFTER_ONBOARDING = "auth/providers"
LOG_LINES = 30


@dataclass(frozen=True)
class Installation:
    """An environment with Home Assistant.

    Attributes:
        http_in_yaml: configuration.yaml sets its port, not the storage.

    """

    hass: Path
    http_in_yaml: bool = False


NEWEST = Installation(ROOT / ".venv-ha" / "bin" / "hass")


class BootError(Exception):
    """Home Assistant ended during its start."""


@dataclass
class RunningHomeAssistant:
    """Home Assistant ready for requests, before its onboarding."""

    url: str
    folder: Path
    process: asyncio.subprocess.Process = field(init=False)
    _start: Callable[[], AbstractAsyncContextManager[asyncio.subprocess.Process]]
    _processes: AsyncExitStack = field(default_factory=AsyncExitStack)
    _ready_path: str = BEFORE_ONBOARDING

    async def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            BootError: it ended during its start.

        """
        self.process = await self._processes.enter_async_context(self._start())
        await _wait_for_answer(self, f"{self.url}/{self._ready_path}")

    async def restart(self) -> None:
        """Stop and start it after its onboarding.

        Raises:
            BootError: it ended during its start.

        """
        await self.stop()
        self._ready_path = AFTER_ONBOARDING
        await self.start()

    async def stop(self) -> None:
        """Stop it in an orderly way: it stores what it has to."""
        await self._processes.aclose()


def hass_command(folder: Path, installation: Installation = NEWEST) -> list[str | Path]:
    """Return the command that runs Home Assistant."""
    return [installation.hass, "--config", folder, "--skip-pip", "--log-no-color"]


@asynccontextmanager
async def boot(  # noqa: PLR0913, PLR0917 - each has a default
    environment: Mapping[str, str] | None = None,
    package: Path | None = None,
    skipped: Sequence[str] = ALL_BUT_THE_USER,
    installation: Installation = NEWEST,
    wrapper: Callable[[Path], Sequence[str | Path]] = lambda _: (),
    configuration: str = "",
    components: Sequence[Path] = (),
) -> AsyncIterator[RunningHomeAssistant]:
    """Run a fresh Home Assistant.

    The environment is added to this process's; the component is the repository's,
    unless a package is given; the skipped onboarding steps count as done. `wrapper`
    returns what runs the command, from the config folder; `configuration` is added to
    configuration.yaml; other custom components are added to ours. Exceptions that pass
    through carry the end of the log as a note.
    """
    port = free_port()
    with _temporary_folder() as (folder, log):
        http_in_yaml = installation.http_in_yaml
        prepare_folder(folder, port, package, http_in_yaml=http_in_yaml)
        with (folder / "configuration.yaml").open("a") as file:
            file.write(configuration)
        for component in components:
            (folder / "custom_components" / component.name).symlink_to(component)
        skip_onboarding_steps(folder, skipped)
        try:
            command = [*wrapper(folder), *hass_command(folder, installation)]
            running = RunningHomeAssistant(
                f"http://{HOST}:{port}",
                folder,
                partial(child, command, folder, log, STDOUT, environment),
            )
            try:
                await running.start()
                yield running
            finally:
                await running.stop()
        except Exception as err:
            err.add_note(_log_tail(Path(log.name)))
            raise


@contextmanager
def _temporary_folder() -> Iterator[tuple[Path, IO[bytes]]]:
    with TemporaryDirectory(prefix="clawd-home-assistant-") as name:
        folder = Path(name)
        with (folder / "console.log").open("wb") as log:
            yield folder, log


async def _wait_for_answer(running: RunningHomeAssistant, url: str) -> None:
    async with aiohttp.ClientSession() as session:
        while not await _answers(session, url):
            if running.process.returncode is not None:
                status = running.process.returncode
                raise BootError(f"Home Assistant ended with status {status}")
            await asyncio.sleep(POLL_INTERVAL)


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.ok
    except aiohttp.ClientConnectionError:
        return False


def _log_tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join(["The end of Home Assistant's log:", *lines])
