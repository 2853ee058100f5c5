"""Checks of the self-test that look at made-up clients."""

from types import SimpleNamespace
from typing import Any

from custom_components.clawd.selftest.model import Ask, CheckContext, CheckResult, Mode


async def judged(ask: Ask, **client: object) -> CheckResult:
    """Return what a check finds in a client with these attributes."""
    runtime = SimpleNamespace(client=SimpleNamespace(**client))
    entry: Any = SimpleNamespace(state=None, runtime_data=runtime)
    hass: Any = None
    return await ask(CheckContext(hass, entry, Mode.ACTIVE, settle=0))
