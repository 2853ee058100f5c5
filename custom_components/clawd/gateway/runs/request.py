"""Request of a run."""

from dataclasses import dataclass, field
import re
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ..commands import ChatCommands, Method, RunCommands
from ..protocol.frames import well_formed

if TYPE_CHECKING:
    from ..models import Payload

# Commands that `chat.send` executes anywhere in a message, as `/model`, but no paths of
# files. JavaScript takes a byte order mark for a space.
_COMMAND: Final = re.compile(r"(?<![^\s\ufeff])/(?=\w[\w.-]*(?![\w./-]))")
# It turns a command into text. Only administrators may have commands ignored.
WORD_JOINER: Final = "\u2060"


def _new_run_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class Attachment:
    """File attached to a question, in base64."""

    mime_type: str
    name: str = field(repr=False)
    content: str = field(repr=False)

    @property
    def is_image(self) -> bool:
        """Return whether it is an image."""
        return self.mime_type.startswith("image/")

    @property
    def payload(self) -> Payload:
        """Return the payload of the attachment."""
        return {
            "type": "image" if self.is_image else "file",
            "mimeType": self.mime_type,
            "fileName": self.name,
            "content": self.content,
        }


@dataclass(frozen=True, slots=True)
class Delivery:
    """Chat channel for the reply.

    Attributes:
        best_effort: the run does not fail if the reply cannot be sent.

    """

    channel: str
    target: str = field(repr=False)
    best_effort: bool = False


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Question to an agent.

    Attributes:
        session_key: `agent:<agent id>:<rest>`, lower case.
        extra_system_prompt: instructions; no part of the message.
        thinking: id of a thinking level.
        idle_timeout: seconds without an event after which the run is given up.
        timeout: seconds after which the run is given up.
        include_tools: add tool calls and results to the parts of the run.
        include_segments: add the ends of segments to the parts of the run.
        lightweight: leave out the agent's workspace files and most of its own prompt
            (protocol 4).
        attachments: other files than images take protocol 4.
        model_run: ask the model alone, without session, tools and persona
            (protocol 4); the message holds all that it is told.
        delivery: where the reply is sent to, besides here.
        include_segments: add the ends of segments to the parts of the run.
        run_id: idempotency key of the request, which the Gateway uses as run id.

    """

    message: str = field(repr=False)
    session_key: str = field(repr=False)
    extra_system_prompt: str | None = field(default=None, repr=False)
    thinking: str | None = None
    idle_timeout: float | None = None
    timeout: float | None = None
    include_tools: bool = False
    include_segments: bool = False
    lightweight: bool = False
    attachments: tuple[Attachment, ...] = ()
    model_run: bool = False
    delivery: Delivery | None = None
    run_id: str = field(default_factory=_new_run_id)

    def __post_init__(self) -> None:
        """Replace lone surrogates, as in the history."""
        object.__setattr__(self, "message", well_formed(self.message))

    @property
    def by_chat(self) -> bool:
        """Return whether to use `chat.send`.

        `agent` takes images only.
        """
        return not all(file.is_image for file in self.attachments)

    @property
    def streamed(self) -> bool:
        """Return whether the reply is streamed."""
        return not (self.model_run or self.by_chat)

    @property
    def method(self) -> Method:
        """Return the method of the request."""
        return ChatCommands.SEND if self.by_chat else RunCommands.START

    @property
    def params(self) -> Payload:
        """Return the parameters of the request."""
        params: Payload = {
            "message": self.message,
            "sessionKey": self.session_key,
            "idempotencyKey": self.run_id,
        }
        if self.attachments:
            params["attachments"] = [file.payload for file in self.attachments]
        if self.thinking:
            params["thinking"] = self.thinking
        if self.by_chat:
            # It takes no system prompt.
            parts = filter(None, (self.extra_system_prompt, self.message))
            message = _COMMAND.sub(f"{WORD_JOINER}/", "\n\n".join(parts))
            return params | {"message": message}
        if self.extra_system_prompt:
            params["extraSystemPrompt"] = self.extra_system_prompt
        if self.lightweight:
            params |= {"bootstrapContextMode": "lightweight", "promptMode": "minimal"}
        if self.model_run:
            params["modelRun"] = True
        if self.delivery:
            route = {"channel": self.delivery.channel, "to": self.delivery.target}
            params |= {"deliver": True, **route}
            if self.delivery.best_effort:
                params["bestEffortDeliver"] = True
        return params
