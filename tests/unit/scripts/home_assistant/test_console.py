"""Console output of the demo."""

import asyncio
import io

import pytest

from scripts.home_assistant.console import Color, Console, StepError


class Terminal(io.StringIO):
    """Terminal stream."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.fixture(autouse=True)
def _colors_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)


async def test_step_prints_check_mark_and_duration() -> None:
    stream = io.StringIO()
    async with Console(stream).step("Boot", "wait") as step:
        step.detail = "done"
    assert stream.getvalue().split() == ["✓", "Boot", "done", "0.0", "s"]


async def test_failed_step_prints_reason_and_remedy() -> None:
    stream = io.StringIO()
    with pytest.raises(StepError) as caught:
        async with Console(stream).step("Boot", "turn it off and on"):
            raise ConnectionError("no response")
    assert stream.getvalue().startswith("✗ Boot")
    for part in ("Boot", "no response", "turn it off and on"):
        assert part in str(caught.value)


async def test_cancelled_step_propagates_cancellation() -> None:
    stream = io.StringIO()
    with pytest.raises(asyncio.CancelledError):
        async with Console(stream).step("Boot", "wait"):
            raise asyncio.CancelledError
    assert stream.getvalue().startswith("✗ Boot")


async def test_terminal_shows_running_step() -> None:
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


def test_no_color_is_honored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert Console(Terminal()).paint("hot", Color.BAD) == "hot"
