"""Home Assistant's HTTP and WebSocket API for administrators."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
import secrets
from typing import Any

import aiohttp

POLL_INTERVAL = 0.05


class ApiError(Exception):
    """Home Assistant's API refused a request."""


class HomeAssistantApi:
    """API of one Home Assistant."""

    def __init__(
        self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        """Use an authenticated session and socket."""
        self._session = session
        self._socket = socket
        self._ids = count(1)

    async def get(self, path: str) -> Any:  # noqa: ANN401
        """Get a JSON document below /api."""
        async with self._session.get(f"/api/{path}") as response:
            await _raise_for_status(response)
            return await response.json()

    async def post(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401
        """Post a JSON document below /api."""
        async with self._session.post(f"/api/{path}", json=body) as response:
            await _raise_for_status(response)
            return await response.json()

    async def download(self, path: str) -> bytes:
        """Get a raw body below /api."""
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
        """Subscribe by a WebSocket command; yield the events."""
        await self.command(kind, **fields)
        while True:
            message = await _receive(self._socket)
            if message["type"] == "event":
                yield message["event"]

    async def wait_until_running(self) -> str:
        """Wait for the start; return the version."""
        while True:
            config = await self.get("config")
            if config["state"] == "RUNNING":
                version: str = config["version"]
                return version
            await asyncio.sleep(POLL_INTERVAL)


@asynccontextmanager
async def connect(url: str, token: str) -> AsyncIterator[HomeAssistantApi]:
    """Connect with an access token."""
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
    """Create the first user and connect as them.

    Yield the API and its access token once Home Assistant has started.
    """
    token = await create_user(url, "demo", secrets.token_urlsafe(9))
    async with connect(url, token) as api:
        await api.wait_until_running()
        yield api, token


async def create_user(url: str, username: str, password: str) -> str:
    """Create the first user; return an access token."""
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
