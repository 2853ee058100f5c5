"""Checks of what must not get out, and of the self-test itself."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from .. import redaction
from ..inspection import Inspection, inspect_entry
from .canaries import CANARIES
from .model import CheckResult, expect_none

if TYPE_CHECKING:
    from .model import CheckContext


async def check_self_canary(_context: CheckContext) -> CheckResult:
    """Plant faults in a sandbox, each of which its detector must see."""
    blind = [name for name, is_seen in CANARIES.items() if not await is_seen()]
    return expect_none(
        len(blind), "detectors", count=len(CANARIES), names=", ".join(blind)
    )


async def check_redaction(context: CheckContext) -> CheckResult:
    """Look for secrets in the diagnostics and in the answers so far."""
    secrets = redaction.known_secrets(context.entry.data, context.runtime.credentials)
    parts: dict[str, object] = {
        answer.check.id: asdict(answer.result) for answer in context.answers
    }
    parts |= inspect_entry(Inspection(context.hass, context.entry, context.runtime))
    leaking = [name for name, part in parts.items() if redaction.leaks(part, secrets)]
    return expect_none(
        len(leaking),
        "places",
        count=len(parts),
        secrets=len(secrets),
        names=", ".join(leaking),
    )
