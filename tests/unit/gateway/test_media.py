"""Media references and downloads."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
import ssl

from aiohttp import ClientSession, TCPConnector, ThreadedResolver
import pytest

from custom_components.clawd.gateway import (
    ClientInfo,
    Credentials,
    DeviceIdentity,
    DeviceToken,
    Endpoint,
    GatewayClient,
    Json,
    Media as Downloaded,
    MediaError,
    MediaProblem,
    NotConnectedError,
    Peer,
    RunRequest,
)
from custom_components.clawd.gateway.commands import ArtifactCommands
from custom_components.clawd.gateway.media import MediaDownloads
from custom_components.clawd.gateway.models import Payload
from custom_components.clawd.gateway.run_result import MAX_MEDIA
from tests.simulator import GatewaySimulator, Media, Reply, Tool
from tests.simulator.tls import certificate, fingerprint, server_context
from tests.unit.clients import TIMING, client_of, connected, running
from tests.unit.run_harness import RunHarness

KEY = "agent:main:ha-1"
PICTURE = b"\x89PNG\r\n"
LIMIT = 1000


@pytest.fixture
def protocol() -> int:
    """Return the protocol that hands out files."""
    return 4


@pytest.fixture
async def session() -> AsyncGenerator[ClientSession]:
    """Return a session of HTTP requests."""
    # The other resolver ends its thread in another one.
    connector = TCPConnector(resolver=ThreadedResolver())
    async with ClientSession(connector=connector) as session:
        yield session


@pytest.fixture
async def client(gateway: GatewaySimulator) -> AsyncGenerator[GatewayClient]:
    """Return a client of a Gateway that has a picture."""
    gateway.http.files["./a b.png"] = ("image/png; charset=x", PICTURE)
    async with connected(gateway) as client:
        yield client


async def problem_of(
    client: GatewayClient, session: ClientSession, source: str = "./a b.png"
) -> MediaProblem:
    """Return why a file cannot be had."""
    with pytest.raises(MediaError) as error:
        await client.media.fetch(session, source, KEY, LIMIT)
    assert error.value.code == f"MEDIA_{error.value.problem.name}"
    # Hosts are secret, and aiohttp's errors name them.
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return error.value.problem


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_reply_tells_its_media(gateway: GatewaySimulator) -> None:
    gateway.script(
        Reply("First."),
        Media(("/ws/a.png", "./note.txt")),
        Tool("exec"),
        Reply("Second."),
        Media(("https://e.example/b.png", "/ws/a.png")),
    )
    async with connected(gateway) as client:
        run = await client.start_run(RunRequest("Hello", KEY))
        result = await run.result()
    assert result.media == ("/ws/a.png", "./note.txt", "https://e.example/b.png")
    assert result.text == "First.\n\nSecond."
    assert "/ws/a.png" not in repr(result)


@pytest.mark.parametrize(
    ("payload", "media"),
    [
        ({"mediaUrl": "a.png"}, ("a.png",)),
        ({"mediaUrl": "a.png", "mediaUrls": ["b.png"]}, ("b.png",)),
        ({"mediaUrls": [" a.png ", "", " ", 1, None, "x" * 5000]}, ("a.png",)),
        ({"mediaUrls": "a.png", "mediaUrl": 1}, ()),
        ({}, ()),
        (
            {"mediaUrls": [str(number) for number in range(99)]},
            tuple(str(number) for number in range(MAX_MEDIA)),
        ),
    ],
)
async def test_a_final_response_tells_media(
    payload: Payload, media: tuple[str, ...]
) -> None:
    harness = RunHarness()
    run = await harness.start()
    entries = [{"text": "Hi", **payload}, None]
    harness.response.set_result({"status": "ok", "result": {"payloads": entries}})
    assert (await run.result()).media == media


async def test_the_media_of_a_reply_are_bounded() -> None:
    harness = RunHarness()
    run = await harness.start()
    for number in range(0, 100, 10):
        urls = [str(url) for url in range(number, number + 10)]
        harness.send_text("Hi", mediaUrls=urls)
    await harness.end("Hi")
    assert len((await run.result()).media) == MAX_MEDIA
    assert len(run.stream.media) == MAX_MEDIA


async def test_a_file_is_downloaded_as_this_device(
    client: GatewayClient, gateway: GatewaySimulator, session: ClientSession
) -> None:
    media = await client.media.fetch(session, "./a b.png", KEY, LIMIT)
    assert media == Downloaded("image/png", PICTURE)
    [(path, headers)] = gateway.http.requests
    assert path == (
        "/__openclaw__/assistant-media"
        "?source=.%2Fa+b.png&sessionKey=agent%3Amain%3Aha-1&agentId=main"
    )
    [device_token] = gateway.devices.tokens.values()
    assert headers["Authorization"] == f"Bearer {device_token}"
    assert headers["Host"] == f"127.0.0.1:{gateway.port}"
    assert gateway.token not in str(gateway.http.requests)


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (401, MediaProblem.REFUSED),
        (403, MediaProblem.REFUSED),
        (302, MediaProblem.REFUSED),
        (404, MediaProblem.NOT_FOUND),
        (410, MediaProblem.NOT_FOUND),
        (206, MediaProblem.FAILED),
        (500, MediaProblem.FAILED),
    ],
)
async def test_another_answer_is_no_file(
    client: GatewayClient,
    gateway: GatewaySimulator,
    session: ClientSession,
    status: int,
    problem: MediaProblem,
) -> None:
    gateway.http.status = status
    assert await problem_of(client, session) is problem
    assert len(gateway.http.requests) == 1


async def test_a_file_outside_of_the_workspace_is_not_found(
    client: GatewayClient, session: ClientSession
) -> None:
    assert await problem_of(client, session, "/etc/passwd") is MediaProblem.NOT_FOUND


@pytest.mark.parametrize("told", [True, False], ids=["length", "no length"])
async def test_a_file_that_is_too_large_is_not_read(
    client: GatewayClient,
    gateway: GatewaySimulator,
    session: ClientSession,
    *,
    told: bool,
) -> None:
    gateway.http.files["large"] = ("image/png", b"x" * (LIMIT + 1))
    gateway.http.length = told
    assert await problem_of(client, session, "large") is MediaProblem.TOO_LARGE
    gateway.http.files["large"] = ("image/png", b"x" * LIMIT)
    media = await client.media.fetch(session, "large", KEY, LIMIT)
    assert len(media.content) == LIMIT


async def test_a_download_that_breaks_off_is_told(
    client: GatewayClient, gateway: GatewaySimulator, session: ClientSession
) -> None:
    gateway.http.truncated = True
    assert await problem_of(client, session) is MediaProblem.UNREACHABLE


async def test_nothing_is_downloaded_without_a_connection(
    gateway: GatewaySimulator, session: ClientSession
) -> None:
    client = client_of(gateway)
    with pytest.raises(NotConnectedError):
        await client.media.fetch(session, "a.png", KEY, LIMIT)
    assert gateway.http.requests == []


async def test_a_gateway_that_is_gone_is_told(
    gateway: GatewaySimulator, session: ClientSession
) -> None:
    peer = Peer("127.0.0.1", None)
    port = gateway.port
    await gateway.suspend()
    downloads = downloads_of(Endpoint("gateway.invalid", port), lambda: peer)
    with pytest.raises(MediaError) as error:
        await downloads.fetch(session, "a.png", KEY, LIMIT)
    assert error.value.problem is MediaProblem.UNREACHABLE
    await gateway.resume()


@asynccontextmanager
async def secure_client(
    gateway: GatewaySimulator, endpoint: Endpoint
) -> AsyncGenerator[GatewayClient]:
    """Connect by TLS."""
    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("0"), gateway.token)
    client = GatewayClient(endpoint, credentials, timing=TIMING)
    async with running(client):
        await client.wait_connected()
        yield client


def unverified() -> ssl.SSLContext:
    """Return the context of a pinned certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def test_the_certificate_is_checked_as_that_of_the_socket(
    tmp_path: Path, session: ClientSession
) -> None:
    path = certificate(tmp_path)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        gateway.http.files["a.png"] = ("image/png", PICTURE)
        trusting = ssl.create_default_context(cafile=path)
        endpoint = Endpoint("127.0.0.1", gateway.port, trusting)
        pinned = Endpoint("127.0.0.1", gateway.port, unverified(), fingerprint(path))
        for trusted in (endpoint, pinned):
            async with secure_client(gateway, trusted) as client:
                media = await client.media.fetch(session, "a.png", KEY, LIMIT)
                assert media.content == PICTURE
        gateway.http.requests.clear()

        peer = Peer("127.0.0.1", None)
        distrusted = (
            replace(pinned, fingerprint="0" * 64),
            replace(endpoint, ssl=ssl.create_default_context()),
            replace(endpoint, host="other.example"),
        )
        for wrong in distrusted:
            downloads = downloads_of(wrong, lambda: peer)
            with pytest.raises(MediaError) as error:
                await downloads.fetch(session, "a.png", KEY, LIMIT)
            assert error.value.problem is MediaProblem.UNREACHABLE
        assert gateway.http.requests == []


def downloads_of(
    endpoint: Endpoint,
    get_peer: Callable[[], Peer | None],
    *,
    token: str | None = "shared-token",  # noqa: S107 - of the test
    own: str = "",
) -> MediaDownloads:
    """Return the downloads of a client that is connected to a peer."""
    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("0"), token)
    credentials.device_token = DeviceToken(own, ()) if own else None

    async def request(
        method: str,
        params: Payload | None = None,  # noqa: ARG001 - as the client's
        timeout: float | None = None,  # noqa: ARG001
    ) -> Json:
        raise NotConnectedError(method)

    return MediaDownloads(endpoint, credentials, ArtifactCommands(request), get_peer)


@pytest.mark.parametrize(
    ("headers", "token", "own", "sent"),
    [
        ({}, "shared-token", "own-token", "Bearer own-token"),
        ({}, "shared-token", "", "Bearer shared-token"),
        ({}, None, "", None),
        ({"authorization": "Basic YTpi"}, "shared-token", "own", "Basic YTpi"),
        ({"CF-Access": "x"}, None, "own-token", "Bearer own-token"),
    ],
)
async def test_the_credentials_with_the_fewest_rights_are_sent(  # noqa: PLR0913, PLR0917 - the cases
    gateway: GatewaySimulator,
    session: ClientSession,
    headers: dict[str, str],
    token: str | None,
    own: str,
    sent: str | None,
) -> None:
    gateway.http.status = 404
    endpoint = Endpoint("localhost", gateway.port, headers=headers, path="/claw")
    gateway_peer = Peer("127.0.0.1", None)
    downloads = downloads_of(endpoint, lambda: gateway_peer, token=token, own=own)
    with pytest.raises(MediaError):
        await downloads.fetch(session, "a.png", KEY, LIMIT)
    [(path, received)] = gateway.http.requests
    assert path.startswith("/claw/__openclaw__/assistant-media?")
    received = {name.lower(): value for name, value in received.items()}
    assert received.get("authorization") == sent
    assert all(received[name.lower()] == value for name, value in headers.items())


async def test_no_name_is_looked_up_again(
    gateway: GatewaySimulator, session: ClientSession
) -> None:
    gateway.http.files["a.png"] = ("image/png", PICTURE)
    peer = Peer("127.0.0.1", None)
    endpoint = Endpoint("gateway.invalid", gateway.port)
    downloads = downloads_of(endpoint, lambda: peer, token=gateway.token)
    media = await downloads.fetch(session, "a.png", KEY, LIMIT)
    assert media.content == PICTURE
    [(_, headers)] = gateway.http.requests
    assert headers["Host"] == f"gateway.invalid:{gateway.port}"


async def test_a_link_local_peer_is_reached_by_its_name(
    gateway: GatewaySimulator, session: ClientSession
) -> None:
    gateway.http.files["a.png"] = ("image/png", PICTURE)
    peer = Peer("fe80::1%lo", None)
    endpoint = Endpoint("127.0.0.1", gateway.port)
    downloads = downloads_of(endpoint, lambda: peer, token=gateway.token)
    media = await downloads.fetch(session, "a.png", KEY, LIMIT)
    assert media.content == PICTURE


async def test_an_artifact_is_downloaded_by_its_ticket(
    client: GatewayClient, gateway: GatewaySimulator, session: ClientSession
) -> None:
    artifact = add_artifact(gateway)
    media = await client.media.fetch_artifact(session, artifact, KEY, LIMIT)
    assert media == Downloaded("image/png", PICTURE)
    [(_, headers)] = gateway.http.requests
    assert "Authorization" not in headers


async def test_an_expired_ticket_is_renewed_once(
    client: GatewayClient, gateway: GatewaySimulator, session: ClientSession
) -> None:
    artifact = add_artifact(gateway)
    old = {"url": "/api/chat/media/outgoing/x/full?mediaTicket=OLD"}
    answers = [old]
    gateway.edit(
        "artifacts.download",
        lambda payload: payload.update(answers.pop() if answers else {}),
    )
    media = await client.media.fetch_artifact(session, artifact, KEY, LIMIT)
    assert media.content == PICTURE
    assert len(gateway.received("artifacts.download")) == 2

    gateway.edit("artifacts.download", lambda payload: payload.update(old))
    with pytest.raises(MediaError) as error:
        await client.media.fetch_artifact(session, artifact, KEY, LIMIT)
    assert error.value.problem is MediaProblem.REFUSED
    assert len(gateway.received("artifacts.download")) == 4


@pytest.mark.parametrize("url", ["//evil/x", "http://evil/x", "x"])
async def test_an_artifact_of_another_host_is_not_downloaded(
    client: GatewayClient, gateway: GatewaySimulator, session: ClientSession, url: str
) -> None:
    artifact = add_artifact(gateway)
    gateway.edit("artifacts.download", lambda payload: payload.update(url=url))
    with pytest.raises(MediaError) as error:
        await client.media.fetch_artifact(session, artifact, KEY, LIMIT)
    assert error.value.problem is MediaProblem.FAILED
    assert len(gateway.received("artifacts.download")) == 1


def add_artifact(gateway: GatewaySimulator) -> str:
    """Add a picture that a tool has made; return its id."""
    gateway.images.image = PICTURE
    artifact = {"id": "artifact_1", "mimeType": "image/png", "title": "image-1.png"}
    gateway.images.artifacts[KEY] = [artifact]
    return "artifact_1"
