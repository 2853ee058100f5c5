"""A blocking call of the integration fails the test."""

from collections.abc import Callable
from pathlib import Path
import time

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.reports import Status
from custom_components.clawd.selftest.model import CheckContext, CheckResult

from .blocking import BlockingCalls
from .check_stubs import check_of, run_stubs


def _read() -> None:
    Path(__file__).read_bytes()


def _sleep() -> None:
    time.sleep(0)


@pytest.mark.parametrize(("block", "named"), [(_read, "read_bytes"), (_sleep, "sleep")])
async def test_a_call_that_blocks_is_caught(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    calls: BlockingCalls,
    block: Callable[[], None],
    named: str,
) -> None:
    async def blocking(_: CheckContext) -> CheckResult:
        block()
        return CheckResult(status=Status.PASS)

    check = check_of(blocking)
    for _ in range(2):
        await run_stubs(hass, entry, check)
        with pytest.raises(AssertionError, match=f"blocking call to {named}"):
            calls.verify()
