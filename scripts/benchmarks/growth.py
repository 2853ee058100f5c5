"""What a client holds at a quiet moment, and whether that grows."""

import asyncio
from collections.abc import Iterator, Sequence
import gc
import os
from pathlib import Path
import sys
from typing import NamedTuple

from custom_components.clawd.gateway import GatewayClient


class Holding(NamedTuple):
    """What is held; `blocks` are Python's, `rss` is resident memory in kB."""

    tasks: int
    files: int
    listeners: int
    pending: int
    runs: int
    blocks: int
    rss: int


# How much more may be held at the end than after the warm-up. Allocators keep some.
ALLOWED = Holding(
    tasks=0, files=0, listeners=0, pending=0, runs=0, blocks=2_000, rss=4_096
)
ENDS_WITH_THE_WORK = ("pending", "runs")


class Growth(NamedTuple):
    """One kind of holding from the end of the warm-up to the end."""

    name: str
    first: int
    most: int
    last: int
    allowed: int

    @property
    def flat(self) -> bool:
        """Return whether there is no more than is allowed."""
        before = 0 if self.name in ENDS_WITH_THE_WORK else self.first
        return self.last - before <= self.allowed


def hold(client: GatewayClient) -> Holding:
    """Count what is held now."""
    gc.collect()
    return Holding(
        tasks=len(asyncio.all_tasks()),
        files=len(list(Path("/dev/fd").iterdir())),
        listeners=sum(map(len, client.introspection.listeners.values())),
        pending=len(client.introspection.pending),
        runs=len(client.introspection.runs),
        blocks=sys.getallocatedblocks(),
        rss=_resident(),
    )


def growths(holdings: Sequence[Holding]) -> Iterator[Growth]:
    """Yield how each kind of holding developed."""
    for name in Holding._fields:
        course = [getattr(holding, name) for holding in holdings]
        yield Growth(name, course[0], max(course), course[-1], getattr(ALLOWED, name))


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
