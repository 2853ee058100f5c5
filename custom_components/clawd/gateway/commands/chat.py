"""Chat of a session."""

from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ..models import READ_SCOPE, WRITE_SCOPE
from .base import Commands, Method

if TYPE_CHECKING:
    from ..models import Json


class ChatCommands(Commands):
    """Commands on the chat of a session."""

    ABORT: Final = Method("chat.abort", WRITE_SCOPE)
    HISTORY: Final = Method("chat.history", READ_SCOPE)
    SEND: Final = Method("chat.send", WRITE_SCOPE)

    async def abort(self, session_key: str, run_id: str) -> bool:
        """Stop one run (v4).

        Return whether it was running.
        """
        params = {"sessionKey": session_key, "runId": run_id}
        match await self._call(self.ABORT, params):
            case {"aborted": False}:
                return False
        return True

    async def stop(self, session_key: str) -> None:
        """Stop all runs of a session (v3)."""
        # v3 knows only runs of `chat.send` in `chat.abort`. The prefix keeps it
        # from dropping the bare command as an empty message.
        params = {"message": "[clawd] /stop", "idempotencyKey": uuid4().hex}
        await self._call(self.SEND, {"sessionKey": session_key, **params})

    async def history(self, session_key: str, limit: int) -> Json:
        """Return up to `limit` messages.

        `read_transcript` interprets them.
        """
        params = {"sessionKey": session_key, "limit": limit}
        return await self._call(self.HISTORY, params)
