"""Faults of sessions on the Gateway."""

from ..assist_client import Conversation
from ..fault_harness import Fault, FaultHarness
from ..report_assertions import Expected


async def lost_restriction(harness: FaultHarness) -> None:
    """Take the restriction of a session of a voice device away."""
    await Conversation(harness.hass).say("Hello", device="kitchen")
    harness.gateway.permission_modes.clear()


async def full_rights(harness: FaultHarness) -> None:
    """Give the sessions of a voice device and of a chat all rights."""
    conversation = Conversation(harness.hass)
    await conversation.say("Hello", device="kitchen")
    await conversation.say("Hello")
    for key in harness.gateway.permission_modes:
        harness.gateway.permission_modes[key] = "full"


async def reach(harness: FaultHarness) -> None:
    """Let restricted agents reach other sessions."""
    harness.gateway.nodes.session_visibility = None
    await Conversation(harness.hass).say("Hello", device="kitchen")


def _expected(count: int, modes: str) -> Expected:
    placeholders = {"exceeding": count, "count": count, "modes": modes}
    return Expected(count, placeholders=placeholders)


FAULTS = [
    Fault(
        lost_restriction,
        "permission_mode",
        _expected(1, "guarded: default"),
        protocols=(4,),
    ),
    Fault(
        full_rights,
        "permission_mode",
        _expected(2, "guarded: full"),
        protocols=(4,),
    ),
    Fault(
        reach,
        "session_visibility",
        Expected(1, {"count": 1, "visibility": "all"}),
        "warn",
        protocols=(4,),
    ),
]
