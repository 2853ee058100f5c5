"""The demo's lines on a terminal and in a file."""

import asyncio
import io

import pytest

from scripts.home_assistant.console import Color, Console, StepError


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture(autouse=True)
def _colors_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)


async def test_step_ends_in_a_line_with_tick_and_seconds() -> None:
    stream = io.StringIO()
    async with Console(stream).step("Boot", "wait") as step:
        step.detail = "done"
    assert stream.getvalue().split() == ["✓", "Boot", "done", "0.0", "s"]


async def test_step_that_fails_says_which_why_and_what_to_do() -> None:
    stream = io.StringIO()
    with pytest.raises(StepError) as caught:
        async with Console(stream).step("Boot", "turn it off and on"):
            raise ConnectionError("nobody there")
    assert stream.getvalue().startswith("✗ Boot")
    for part in ("Boot", "nobody there", "turn it off and on"):
        assert part in str(caught.value)


async def test_step_that_is_cancelled_stays_cancelled() -> None:
    stream = io.StringIO()
    with pytest.raises(asyncio.CancelledError):
        async with Console(stream).step("Boot", "wait"):
            raise asyncio.CancelledError
    assert stream.getvalue().startswith("✗ Boot")


async def test_terminal_shows_a_step_while_it_runs() -> None:
    stream = Terminal()
    async with Console(stream).step("Boot", "wait"):
        assert "… Boot" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


async def test_file_gets_no_control_characters() -> None:
    stream = io.StringIO()
    console = Console(stream)
    async with console.step("Boot", "wait"):
        console.line(console.paint("hot", Color.BAD))
    assert "\x1b" not in stream.getvalue()
    assert "\r" not in stream.getvalue()


def test_terminal_is_colored() -> None:
    assert Console(Terminal()).paint("hot", Color.BAD) == "\x1b[31mhot\x1b[0m"


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert Console(Terminal()).paint("hot", Color.BAD) == "hot"
