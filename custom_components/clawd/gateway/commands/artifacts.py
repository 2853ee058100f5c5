"""Files made by agents."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..exceptions import InvalidFrameError
from ..models import READ_SCOPE
from .base import Commands, Method
from .models import entries_with

if TYPE_CHECKING:
    from ..models import Json


@dataclass(frozen=True, slots=True)
class Artifact:
    """File in a session.

    Attributes:
        size: in bytes; None if it is not told.
        run_id: of the run that has made it.

    """

    id: str
    mime_type: str
    name: str = field(repr=False)
    size: int | None = None
    run_id: str = ""


class ArtifactCommands(Commands):
    """Commands on artifacts (v4)."""

    DOWNLOAD: Final = Method("artifacts.download", READ_SCOPE, optional=True)
    LIST: Final = Method("artifacts.list", READ_SCOPE, optional=True)

    async def list(self, session_key: str) -> tuple[Artifact, ...]:
        """Return the artifacts of a session.

        Raises:
            GatewayError: the Gateway did not answer, or not with a list.

        """
        match await self._call(self.LIST, {"sessionKey": session_key}):
            case {"artifacts": list(entries)}:
                return tuple(
                    Artifact(
                        entry["id"],
                        entry["mimeType"],
                        str(entry.get("title", "")),
                        _size(entry.get("sizeBytes")),
                        str(entry.get("runId", "")),
                    )
                    for entry in entries_with(entries, "id", "mimeType")
                )
        raise InvalidFrameError(f"the response to {self.LIST} has no artifacts")

    async def url(self, session_key: str, artifact_id: str) -> str:
        """Return path and query of an artifact.

        Its ticket is valid for five minutes.

        Raises:
            GatewayError: the Gateway did not answer, or does not know the artifact.

        """
        params = {"sessionKey": session_key, "artifactId": artifact_id}
        match await self._call(self.DOWNLOAD, params):
            case {"url": str(url)}:
                return url
        raise InvalidFrameError(f"the response to {self.DOWNLOAD} has no URL")


def _size(value: Json) -> int | None:
    return value if type(value) is int else None
