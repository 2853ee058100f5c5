"""Lines for a person: steps with a tick and seconds, colour only on a terminal."""

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


class Colour(StrEnum):
    """An ANSI colour by what it says."""

    GOOD = "32"
    DOUBTFUL = "33"
    BAD = "31"
    FAINT = "2"


class StepError(Exception):
    """A step that failed, with what to do about it."""

    def __init__(self, title: str, reason: str, advice: str) -> None:
        """Name the step, why it failed, and what to do."""
        super().__init__(f"{title} failed: {reason}\nWhat to do: {advice}")


@dataclass
class Step:
    """A step under way; its detail is printed when it ends."""

    title: str
    detail: str = ""


class Console:
    """Progress on one stream."""

    def __init__(self, stream: TextIO) -> None:
        """Write to the stream; colour it if it is a terminal and NO_COLOR is unset."""
        self._stream = stream
        self._live = stream.isatty()
        self._coloured = self._live and not os.environ.get("NO_COLOR")
        self._under_way = False

    def paint(self, text: str, colour: Colour) -> str:
        """Return the text in a colour, or as it is where there is none."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured else text

    def write(self, text: str) -> None:
        """Write text as it comes."""
        if self._under_way:
            self._stream.write("\r\x1b[K")
            self._under_way = False
        self._stream.write(text)
        self._stream.flush()

    def line(self, text: str = "") -> None:
        """Write a line."""
        self.write(f"{text}\n")

    @asynccontextmanager
    async def step(self, title: str, advice: str) -> AsyncIterator[Step]:
        """Show a step: on a terminal while it runs, and as a line when it ends.

        Raises:
            StepError: the step failed or took too long; advice says what to do then.
        """
        step = Step(title)
        started = perf_counter()
        mark = self.paint("✗", Colour.BAD)
        self._announce(title)
        try:
            async with asyncio.timeout(STEP_DEADLINE):
                yield step
            mark = self.paint("✓", Colour.GOOD)
        except Exception as err:
            reason = f"{err} ({type(err).__name__})".lstrip()
            raise StepError(title, reason, advice) from err
        finally:
            text = f"{title:<18} {step.detail}".rstrip()
            seconds = f"{perf_counter() - started:.1f} s"
            self.line(f"{mark} {text:<{STEP_WIDTH}} {seconds:>6}")

    def _announce(self, title: str) -> None:
        if self._live:
            self.write(self.paint(f"… {title}", Colour.FAINT))
            self._under_way = True
