"""Downloads of pictures and files."""

from dataclasses import dataclass, field
from http import HTTPStatus
import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from aiohttp import ClientError, ClientTimeout, Fingerprint
from yarl import URL

from .endpoint import netloc
from .exceptions import MediaError, MediaProblem, NotConnectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from ssl import SSLContext

    from aiohttp import ClientResponse, ClientSession

    from .commands import ArtifactCommands
    from .credentials import Credentials
    from .endpoint import Endpoint
    from .protocol.transport import Peer

MEDIA_PATH: Final = "/__openclaw__/assistant-media"
# Bytes read at once.
CHUNK_SIZE: Final = 65_536
# Seconds for one file: 20 MB on a slow wireless network.
DOWNLOAD_TIMEOUT: Final = 20.0
AUTHORIZATION: Final = "Authorization"
BINARY: Final = "application/octet-stream"

_LOGGER = logging.getLogger(__name__)

_PROBLEMS: Final[Mapping[int, MediaProblem]] = {
    # To a sign-in page in front.
    HTTPStatus.FOUND: MediaProblem.REFUSED,
    HTTPStatus.UNAUTHORIZED: MediaProblem.REFUSED,
    HTTPStatus.FORBIDDEN: MediaProblem.REFUSED,
    HTTPStatus.NOT_FOUND: MediaProblem.NOT_FOUND,
    HTTPStatus.GONE: MediaProblem.NOT_FOUND,
}


@dataclass(frozen=True, slots=True)
class Media:
    """Picture or file.

    The Gateway says its type.
    """

    mime_type: str
    content: bytes = field(repr=False)


class MediaDownloads:
    """Downloader for media of agents (v4).

    They go to the peer of the open connection: no name is looked up again, and the
    certificate is checked in the same way. Redirects are not followed, so that the
    token stays with its Gateway.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        artifacts: ArtifactCommands,
        get_peer: Callable[[], Peer | None],
    ) -> None:
        """Download with the credentials of a client."""
        self._endpoint = endpoint
        self._credentials = credentials
        self._artifacts = artifacts
        self._get_peer = get_peer

    async def fetch(
        self, session: ClientSession, source: str, session_key: str, max_size: int
    ) -> Media:
        """Download a file referenced in a reply.

        `source` is its path at the Gateway; it has at most `max_size` bytes.

        Raises:
            MediaError: it cannot be had.
            NotConnectedError: there is no connection.

        """
        agent = session_key.split(":")[1]
        query = {"source": source, "sessionKey": session_key, "agentId": agent}
        path = f"{MEDIA_PATH}?{urlencode(query)}"
        return await self._download(session, path, max_size, self._authorization)

    async def fetch_artifact(
        self, session: ClientSession, artifact_id: str, session_key: str, max_size: int
    ) -> Media:
        """Download an artifact of a session.

        Raises:
            MediaError: it cannot be had.
            GatewayError: the Gateway did not answer, or does not know the artifact.

        """
        path = await self._artifacts.url(session_key, artifact_id)
        try:
            return await self._download(session, path, max_size)
        except MediaError as err:
            if err.problem not in (MediaProblem.REFUSED, MediaProblem.NOT_FOUND):
                raise
        # The ticket in the path has expired, as after five minutes.
        path = await self._artifacts.url(session_key, artifact_id)
        return await self._download(session, path, max_size)

    @property
    def _authorization(self) -> dict[str, str]:
        """Return the authorization header.

        The device token has the fewest rights.
        """
        # That of a proxy in front cannot be sent together with ours.
        if any(name.title() == AUTHORIZATION for name in self._endpoint.headers):
            return {}
        own = self._credentials.device_token
        secret = own.token if own else next(iter(self._credentials.auth.values()), "")
        return {AUTHORIZATION: f"Bearer {secret}"} if secret else {}

    async def _download(
        self,
        session: ClientSession,
        path: str,
        max_size: int,
        authorization: dict[str, str] | None = None,
    ) -> Media:
        peer, endpoint = self._get_peer(), self._endpoint
        if peer is None:
            raise NotConnectedError("there is no connection")
        # A URL that names a host would be of another machine.
        if not path.startswith("/") or path.startswith("//"):
            raise MediaError(MediaProblem.FAILED)
        # A link-local address has its interface behind a percent sign.
        host = endpoint.host if "%" in peer.address else peer.address
        address = netloc(host, endpoint.port)
        scheme = "https" if endpoint.ssl else "http"
        headers = {
            **endpoint.headers,
            **(authorization or {}),
            "Host": netloc(endpoint.host, endpoint.port),
            # A small answer must not become a large one.
            "Accept-Encoding": "identity",
        }
        try:
            async with session.get(
                URL(f"{scheme}://{address}{endpoint.path}{path}", encoded=True),
                headers=headers,
                ssl=_trust(endpoint),
                server_hostname=endpoint.host if endpoint.ssl else None,
                allow_redirects=False,
                auto_decompress=False,
                timeout=ClientTimeout(total=DOWNLOAD_TIMEOUT),
            ) as response:
                return await _read(response, max_size)
        except ClientError, TimeoutError:
            # Not the cause, which names the host.
            raise MediaError(MediaProblem.UNREACHABLE) from None


def _trust(endpoint: Endpoint) -> SSLContext | Fingerprint | bool:
    if endpoint.fingerprint:
        return Fingerprint(bytes.fromhex(endpoint.fingerprint))
    return endpoint.ssl or True


async def _read(response: ClientResponse, max_size: int) -> Media:
    if response.status != HTTPStatus.OK:
        raise MediaError(_PROBLEMS.get(response.status, MediaProblem.FAILED))
    if (response.content_length or 0) > max_size:
        raise MediaError(MediaProblem.TOO_LARGE)
    content = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_SIZE):
        content += chunk
        if len(content) > max_size:
            raise MediaError(MediaProblem.TOO_LARGE)
    _LOGGER.debug("Downloaded %s bytes", len(content))
    return Media(response.content_type or BINARY, bytes(content))
