"""Run commands of the API."""

from typing import TYPE_CHECKING, Final

from ..models import WRITE_SCOPE
from .base import Commands, Method

if TYPE_CHECKING:
    from ..models import Json


class RunCommands(Commands):
    """Commands on runs.

    `START` is answered twice, so the client sends it by itself.
    """

    START: Final = Method("agent", WRITE_SCOPE)
    WAIT: Final = Method("agent.wait", WRITE_SCOPE)

    async def wait(
        self, run_id: str, seconds: float, timeout: float
    ) -> dict[str, Json]:
        """Wait for the end of a run.

        The Gateway holds the response that long, also for a run it does not know.
        """
        params = {"runId": run_id, "timeoutMs": round(seconds * 1000)}
        answer = await self._call(self.WAIT, params, timeout)
        return answer if isinstance(answer, dict) else {}
