"""Messages to channels, and wake-ups."""

from typing import TYPE_CHECKING

from .recordings import V3, Frame
from .request_errors import RequestError, invalid_request
from .request_log import Request

if TYPE_CHECKING:
    from .connection import ClientConnection
    from .server import GatewaySimulator

CHANNEL = "telegram"


async def send(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Send a message to a number; other targets stay queued."""
    params = request.params
    channel = params.get("channel", CHANNEL)
    if channel != CHANNEL:
        raise invalid_request(f"unsupported channel: {channel}")
    if not params["to"].isdecimal():
        message = "OutboundDeliveryError: not resolved"
        error: Frame = {"code": "UNAVAILABLE", "message": message}
        if gateway.protocol != V3:
            error["details"] = {"code": "OUTBOUND_DELIVERY_QUEUED"}
        raise RequestError(error)
    return {
        "runId": params["idempotencyKey"],
        "messageId": "101",
        "channel": channel,
    }


async def wake(_: GatewaySimulator, __: ClientConnection, ___: Request) -> Frame:
    """Take a text for the next heartbeat."""
    return {"ok": True}
