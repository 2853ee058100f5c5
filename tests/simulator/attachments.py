"""Attachments of a run."""

from base64 import b64decode
import binascii
from typing import TYPE_CHECKING

from .agent_list import MODELS
from .recordings import V3, Frame
from .request_errors import invalid_request

if TYPE_CHECKING:
    from .server import GatewaySimulator

MAX_IMAGE_SIZE = 6_291_456


def check_attachments(
    gateway: GatewaySimulator, params: Frame, *, files: bool = False
) -> None:
    """Refuse the attachments that the Gateway refuses; ``files`` besides images.

    Protocol 3 drops other files without a word.
    """
    for attachment in params.get("attachments", []):
        name, kind = attachment["fileName"], attachment["mimeType"]
        where = f"attachment {name}"
        try:
            content = b64decode(attachment["content"], validate=True)
        except binascii.Error:
            raise invalid_request(f"Error: {where}: invalid base64 content") from None
        if gateway.protocol == V3:
            continue
        if not kind.startswith("image/"):
            if not files:
                raise invalid_request(
                    f"UnsupportedAttachmentError: {where}: non-image attachments "
                    f"({kind}) are not supported on this entrypoint"
                )
            continue
        if len(content) > MAX_IMAGE_SIZE:
            size = f"{len(content)} > {MAX_IMAGE_SIZE} bytes"
            raise invalid_request(f"Error: {where}: image exceeds size limit ({size})")
        if not files and not _sees(gateway, params["sessionKey"].lower()):
            raise invalid_request(
                f"UnsupportedAttachmentError: {where}: active model does not accept "
                "image inputs"
            )


def _sees(gateway: GatewaySimulator, key: str) -> bool:
    session = gateway.runs.sessions.get(key)
    agent = next(agent for agent in gateway.agents if agent.id == key.split(":")[1])
    ref = (session.model if session else None) or agent.model
    return all("image" in m.inputs for m in MODELS if f"mock/{m.id}" == ref)
