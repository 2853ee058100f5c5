"""Request that starts a run."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from ..protocol.frames import well_formed

if TYPE_CHECKING:
    from ..models import Payload


def _new_run_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Question to an agent.

    Attributes:
        session_key: `agent:<agent id>:<rest>`, lower case.
        thinking: id of a thinking level.
        idle_timeout: seconds without an event after which the run is given up.
        timeout: seconds after which the run is given up.
        include_tools: add tool calls and results to the parts of the run.
        run_id: idempotency key of the request, which the Gateway uses as run id.

    """

    message: str = field(repr=False)
    session_key: str = field(repr=False)
    extra_system_prompt: str | None = field(default=None, repr=False)
    thinking: str | None = None
    idle_timeout: float | None = None
    timeout: float | None = None
    include_tools: bool = False
    run_id: str = field(default_factory=_new_run_id)

    def __post_init__(self) -> None:
        """Replace halves of characters, as the frames of the history have them."""
        object.__setattr__(self, "message", well_formed(self.message))

    @property
    def params(self) -> Payload:
        """Return the parameters of `agent`."""
        params = {
            "message": self.message,
            "sessionKey": self.session_key,
            "idempotencyKey": self.run_id,
        }
        if self.extra_system_prompt:
            params["extraSystemPrompt"] = self.extra_system_prompt
        if self.thinking:
            params["thinking"] = self.thinking
        return params
