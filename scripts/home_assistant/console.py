"""Progress in a terminal: steps, times and colors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
import os
from time import perf_counter
from typing import TextIO

STEP_DEADLINE = 180.0
STEP_WIDTH = 70


class Color(StrEnum):
    """ANSI color by meaning."""

    GOOD = "32"
    DOUBTFUL = "33"
    BAD = "31"
    FAINT = "2"


class StepError(Exception):
    """A failed step, with its remedy."""

    def __init__(self, title: str, reason: str, advice: str) -> None:
        """Compose the message."""
        super().__init__(f"{title} failed: {reason}\nWhat to do: {advice}")


@dataclass
class Step:
    """A running step."""

    title: str
    detail: str = ""


class Console:
    """Progress on one stream."""

    def __init__(self, stream: TextIO) -> None:
        """Color a terminal, unless NO_COLOR is set."""
        self._stream = stream
        self._live = stream.isatty()
        self._colored = self._live and not os.environ.get("NO_COLOR")
        self._under_way = False

    def paint(self, text: str, color: Color) -> str:
        """Return the text in a color, if enabled."""
        return f"\x1b[{color}m{text}\x1b[0m" if self._colored else text

    def write(self, text: str) -> None:
        """Write text at once."""
        if self._under_way:  # its title has no line of its own
            self._stream.write("\r\x1b[K")
            self._under_way = False
        self._stream.write(text)
        self._stream.flush()

    def line(self, text: str = "") -> None:
        """Write a line."""
        self.write(f"{text}\n")

    @asynccontextmanager
    async def step(self, title: str, advice: str) -> AsyncIterator[Step]:
        """Show a step and its duration.

        Raises:
            StepError: the step failed or took too long; it carries the advice.
        """
        step = Step(title)
        started = perf_counter()
        mark = self.paint("✗", Color.BAD)
        self._announce(title)
        try:
            async with asyncio.timeout(STEP_DEADLINE):
                yield step
            mark = self.paint("✓", Color.GOOD)
        except Exception as err:
            reason = f"{err} ({type(err).__name__})".lstrip()
            raise StepError(title, reason, advice) from err
        finally:
            text = f"{title:<18} {step.detail}".rstrip()
            seconds = f"{perf_counter() - started:.1f} s"
            self.line(f"{mark} {text:<{STEP_WIDTH}} {seconds:>6}")

    def _announce(self, title: str) -> None:
        if self._live:
            self.write(self.paint(f"… {title}", Color.FAINT))
            self._under_way = True
