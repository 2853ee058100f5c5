"""Resources that a client holds, and their growth."""

import asyncio
from collections.abc import Iterator, Sequence
import gc
import os
from pathlib import Path
import sys
from typing import NamedTuple

from custom_components.clawd.gateway import GatewayClient


class Resources(NamedTuple):
    """Counts of resources.

    `blocks` are allocated by Python, `rss` is resident memory in kB.
    """

    tasks: int
    files: int
    listeners: int
    pending: int
    runs: int
    blocks: int
    rss: int


# Growth since the warm-up. Allocators keep some memory.
ALLOWED = Resources(
    tasks=0, files=0, listeners=0, pending=0, runs=0, blocks=2_000, rss=4_096
)
# These must be zero between the rounds, not just constant.
TRANSIENT = ("pending", "runs")


class Growth(NamedTuple):
    """A resource from the warm-up to the end."""

    name: str
    first: int
    most: int
    last: int
    allowed: int

    @property
    def flat(self) -> bool:
        """Return whether it stayed within the allowance."""
        before = 0 if self.name in TRANSIENT else self.first
        return self.last - before <= self.allowed


def count_resources(client: GatewayClient) -> Resources:
    """Count the resources in use."""
    gc.collect()
    return Resources(
        tasks=len(asyncio.all_tasks()),
        files=len(list(Path("/dev/fd").iterdir())),
        listeners=sum(map(len, client.introspection.listeners.values())),
        pending=len(client.introspection.pending),
        runs=len(client.introspection.runs),
        blocks=sys.getallocatedblocks(),
        rss=_resident(),
    )


def growths(rounds: Sequence[Resources]) -> Iterator[Growth]:
    """Yield the growth of each resource."""
    for name in Resources._fields:
        counts = [getattr(counted, name) for counted in rounds]
        yield Growth(name, counts[0], max(counts), counts[-1], getattr(ALLOWED, name))


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
