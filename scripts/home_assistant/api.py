"""Home Assistant's HTTP and WebSocket API, as an administrator uses it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
import secrets
from typing import Any

import aiohttp

POLL_INTERVAL = 0.05


class ApiError(Exception):
    """A refusal by Home Assistant's API."""


class HomeAssistantApi:
    """The API of one Home Assistant; the socket serves one command at a time."""

    def __init__(
        self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        """Talk through a session that sends the access token and an open socket."""
        self._session = session
        self._socket = socket
        self._ids = count(1)

    async def get(self, path: str) -> Any:  # noqa: ANN401
        """Return the JSON document at a path below /api."""
        async with self._session.get(f"/api/{path}") as response:
            await _raise_for_status(response)
            return await response.json()

    async def post(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401
        """Post a JSON document to a path below /api and return the answer."""
        async with self._session.post(f"/api/{path}", json=body) as response:
            await _raise_for_status(response)
            return await response.json()

    async def download(self, path: str) -> bytes:
        """Return the raw body at a path below /api."""
        async with self._session.get(f"/api/{path}") as response:
            await _raise_for_status(response)
            return await response.read()

    async def command(self, kind: str, **fields: object) -> Any:  # noqa: ANN401
        """Send a WebSocket command and return its result."""
        command_id = next(self._ids)
        await self._socket.send_json({"id": command_id, "type": kind, **fields})
        while True:
            message = await _receive(self._socket)
            if message["id"] != command_id or message["type"] != "result":
                continue
            if not message["success"]:
                error = message["error"]
                raise ApiError(f"{kind}: {error['code']}: {error['message']}")
            return message["result"]

    async def events(
        self, kind: str, **fields: object
    ) -> AsyncGenerator[dict[str, Any]]:
        """Send a WebSocket command and yield its events without an end."""
        await self.command(kind, **fields)
        while True:
            message = await _receive(self._socket)
            if message["type"] == "event":
                yield message["event"]

    async def wait_until_running(self) -> str:
        """Wait until Home Assistant has started, and return its version."""
        while True:
            config = await self.get("config")
            if config["state"] == "RUNNING":
                version: str = config["version"]
                return version
            await asyncio.sleep(POLL_INTERVAL)


@asynccontextmanager
async def connect(url: str, token: str) -> AsyncIterator[HomeAssistantApi]:
    """Open the API of the Home Assistant at a URL with an access token."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(url, headers=headers) as session,
        session.ws_connect("/api/websocket", max_msg_size=0) as socket,
    ):
        await _receive(socket)
        await socket.send_json({"type": "auth", "access_token": token})
        answer = await _receive(socket)
        if answer["type"] != "auth_ok":
            raise ApiError("the access token was refused")
        yield HomeAssistantApi(session, socket)


@asynccontextmanager
async def connect_new_user(url: str) -> AsyncIterator[tuple[HomeAssistantApi, str]]:
    """Create the first user of a fresh Home Assistant, and wait until it runs.

    Yield the API and the access token that opens it.
    """
    token = await create_user(url, "demo", secrets.token_urlsafe(9))
    async with connect(url, token) as api:
        await api.wait_until_running()
        yield api, token


async def create_user(url: str, username: str, password: str) -> str:
    """Create the first user of a fresh Home Assistant; return an access token."""
    client_id = f"{url}/"
    user = {
        "client_id": client_id,
        "name": username.capitalize(),
        "username": username,
        "password": password,
        "language": "en",
    }
    async with aiohttp.ClientSession(url) as session:
        async with session.post("/api/onboarding/users", json=user) as response:
            await _raise_for_status(response)
            code = (await response.json())["auth_code"]
        grant = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": client_id,
        }
        async with session.post("/auth/token", data=grant) as response:
            await _raise_for_status(response)
            token: str = (await response.json())["access_token"]
    return token


async def _receive(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message = await socket.receive()
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise ApiError("Home Assistant closed the connection")
    content: dict[str, Any] = message.json()
    return content


async def _raise_for_status(response: aiohttp.ClientResponse) -> None:
    if not response.ok:
        body = await response.text()
        reason = f"{response.method} {response.url.path}: {response.status} {body}"
        raise ApiError(reason)
