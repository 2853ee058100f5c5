"""Delivery of replies (OpenClaw 2026.9.6)."""

from typing import TYPE_CHECKING, Final

from .messages import CHANNEL
from .recordings import V3, Frame
from .request_errors import invalid_request
from .run_events import Outcome

if TYPE_CHECKING:
    from .server import GatewaySimulator

NOT_FOUND: Final = "Telegram recipient could not be resolved to a numeric chat ID"


def check_delivery(gateway: GatewaySimulator, params: Frame) -> None:
    """Refuse a run with an unknown channel."""
    channel = params.get("channel", CHANNEL)
    if params.get("deliver") and channel != CHANNEL and gateway.protocol != V3:
        raise invalid_request(f"invalid agent params: unknown channel: {channel}")


def delivered(outcome: Outcome, params: Frame) -> Outcome:
    """Return the outcome of a delivery."""
    result = outcome.payload.get("result")
    if not params.get("deliver") or result is None:
        return outcome
    status: Frame = {"requested": True, "attempted": True}
    if params["to"].isdecimal():
        status |= {"status": "sent", "succeeded": True, "resultCount": 1}
    elif params.get("bestEffortDeliver"):
        status |= {"status": "failed", "succeeded": False, "error": True}
        status |= {"errorMessage": NOT_FOUND, "reason": "platform_send"}
    else:
        failed = {"runId": outcome.payload["runId"], "status": "error"}
        error = {"code": "UNAVAILABLE", "message": NOT_FOUND}
        return Outcome(failed | {"summary": NOT_FOUND}, error)
    result["deliveryStatus"] = status
    return outcome
