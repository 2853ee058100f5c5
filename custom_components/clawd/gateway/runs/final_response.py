"""Errors in the payloads that end a run."""

from typing import TYPE_CHECKING

from ..exceptions import AgentRunAborted, AgentRunError
from ..run_result import final_texts, output_tokens
from .failure import provider_message

if TYPE_CHECKING:
    from ..exceptions import RequestFailedError
    from ..models import Json, Payload


def final_error(payload: Json, *, has_text: bool) -> RequestFailedError | None:
    """Return the error of a final response; None if it ends with a reply.

    `has_text`: events have told some of the reply.
    """
    match payload:
        case {"status": "ok", "result": {"meta": {"aborted": True}}}:
            return AgentRunAborted()
        case {"status": "ok"}:
            return None if has_text else _provider_error(payload)
        case {"status": "timeout", "stopReason": "rpc"}:
            # v4 after `chat.abort`.
            return AgentRunAborted()
        case {"status": "timeout"}:
            return AgentRunError("the agent took too long", code="TIMEOUT")
    return AgentRunError("the run ended unexpectedly", code="UNKNOWN")


def chat_error(payload: Payload) -> RequestFailedError | None:
    """Return the error of a `chat` event that ends a run without a reply."""
    match payload:
        case {"state": "aborted"}:
            return AgentRunAborted()
        case {"state": "error"}:
            reason = provider_message(str(payload.get("errorMessage", "")))
            return AgentRunError("the agent failed", code="ERROR", reason=reason)
    return None


def _provider_error(payload: Payload) -> AgentRunError | None:
    """Return the error of a provider whose words are in the place of a reply."""
    texts = final_texts(payload)
    if not texts or output_tokens(payload) != 0:
        return None
    # Without any text of the model, this is the provider's error. v3 ends
    # {"payloads": [{"text": "500 mock failure"}]} like this, too.
    reason = provider_message("\n".join(texts))
    return AgentRunError("the provider failed", code="PROVIDER_ERROR", reason=reason)
