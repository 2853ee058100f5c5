"""Messages to chat channels of a Gateway."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ..models import WRITE_SCOPE
from .base import Commands, Method

if TYPE_CHECKING:
    from ..models import Payload

QUEUED: Final = "OUTBOUND_DELIVERY_QUEUED"


@dataclass(frozen=True, slots=True)
class Message:
    """Message to a recipient on a channel.

    Attributes:
        channel: `telegram`; may be None where the Gateway has only one.
        agent: sender (v4); a Gateway with several agents may require one.
        content: of a file, in base64; `mime_type` and `name` are its.

    """

    target: str = field(repr=False)
    text: str = field(default="", repr=False)
    channel: str | None = None
    content: str | None = field(default=None, repr=False)
    mime_type: str | None = None
    name: str | None = field(default=None, repr=False)
    agent: str | None = None

    @property
    def params(self) -> Payload:
        """Return the parameters of `send`."""
        values = {
            "to": self.target,
            "message": self.text,
            "channel": self.channel,
            "buffer": self.content,
            "filename": self.name,
            "contentType": self.mime_type,
            "agentId": self.agent,
        }
        return {key: value for key, value in values.items() if value}


class MessageCommands(Commands):
    """Commands on messages."""

    SEND: Final = Method("send", WRITE_SCOPE)

    async def send(self, message: Message) -> str | None:
        """Send a message; return its id, if known.

        Raises:
            RequestFailedError: the Gateway refused it, or keeps it (`QUEUED`).
            GatewayError: the Gateway did not answer.

        """
        params = {**message.params, "idempotencyKey": uuid4().hex}
        match await self._call(self.SEND, params):
            case {"messageId": str(message_id)}:
                return message_id
        return None
