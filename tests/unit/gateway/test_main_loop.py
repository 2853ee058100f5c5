"""Unexpected exceptions in the client."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import errno
import logging
from typing import Any

import pytest

from custom_components.clawd.gateway import (
    Cause,
    ClientInfo,
    ConnectionLostError,
    ConnectionState,
    Credentials,
    DeviceIdentity,
    DeviceToken,
    Endpoint,
    GatewayClient,
    NotConnectedError,
    RunRequest,
    SleepDetector,
    UnexpectedError,
    reconnect,
)
from custom_components.clawd.gateway.protocol import transport
from custom_components.clawd.gateway.runs import recovery
from tests.simulator import GatewaySimulator, Pause, Refusal, Reply
from tests.unit.clients import TIMING, client_of, running, wait_for_state

S = ConnectionState
SECRET = "the-secret-in-the-message"
LOGGER = "custom_components.clawd.gateway.history"
WATCHFUL = replace(TIMING, sleep_check_interval=0.001, initial_delay=0.01)


class Boom:
    """Callable that raises as often as it is told to."""

    def __init__(self, times: int, error: Exception | None = None) -> None:
        """Raise so many times, then return False."""
        self.left = times
        self.error = error or ValueError(SECRET)

    def __call__(self, *_: object) -> bool:
        """Raise, or return False."""
        if self.left:
            self.left -= 1
            raise self.error
        return False


class BrokenDetector(SleepDetector):
    """Detector of system sleep that raises."""

    def __init__(self, boom: Boom) -> None:
        """Raise as `boom` does."""
        super().__init__()
        self.poll = boom  # type: ignore[method-assign]


class BrokenIdentity(DeviceIdentity):
    """Identity that cannot sign at first."""

    def sign(self, text: str) -> str:
        """Sign a text, or raise."""
        BOOM()
        return super().sign(text)


BOOM = Boom(0)


@pytest.fixture(autouse=True)
def _no_boom() -> None:
    BOOM.left = 0


def failures(client: GatewayClient) -> list[S]:
    """Return the states that an unexpected exception ended."""
    changes = client.introspection.transitions
    assert all(
        isinstance(change.error, UnexpectedError)
        for change in changes
        if change.cause is Cause.UNEXPECTED
    )
    return [change.previous for change in changes if change.cause is Cause.UNEXPECTED]


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the logged errors."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == LOGGER and record.levelno == logging.ERROR
    ]


async def test_an_exception_while_waiting_does_not_end_the_client(
    gateway: GatewaySimulator, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.refuse(Refusal.STARTING_HTTP, times=1)
    client = client_of(gateway, WATCHFUL, BrokenDetector(Boom(1)))
    async with running(client) as task:
        await client.wait_connected()
        assert not task.done()
    assert failures(client) == [S.RECONNECTING]
    assert client.statistics.main_loop_errors == 1
    [text] = logged(caplog)
    assert "ValueError" in text
    assert "in _wait" in text
    assert SECRET not in caplog.text
    assert client.introspection.history.failure
    assert client.introspection.history.failure.text in text


async def test_an_exception_beside_the_reader_ends_the_connection_only(
    gateway: GatewaySimulator, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.script(Reply("It"), Pause(), Reply(" is on."))
    gateway.hold("health")
    boom = Boom(0)
    client = client_of(gateway, WATCHFUL, BrokenDetector(boom))
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("Go", "agent:main:x"))
        await gateway.wait_paused()
        request = asyncio.create_task(client.request("health"))
        await gateway.wait_for_request("health")
        boom.left = 1
        with pytest.raises(ConnectionLostError):
            await request
        await client.wait_connected()
        gateway.proceed()
        assert (await run.result()).text == "It is on."
        gateway.release("health")
    assert failures(client) == [S.CONNECTED]
    assert client.statistics.drops == 1
    # The watchdog's exception comes in a group.
    [text] = logged(caplog)
    assert "ExceptionGroup" in text
    assert "ValueError" in text
    assert SECRET not in caplog.text


async def test_an_exception_in_the_handshake_is_retried(
    gateway: GatewaySimulator, caplog: pytest.LogCaptureFixture
) -> None:
    BOOM.left = 3
    identity = BrokenIdentity.from_secret(DeviceIdentity.generate().secret)
    client = GatewayClient(
        Endpoint(gateway.host, gateway.port),
        Credentials(identity, ClientInfo("0"), gateway.token),
        timing=TIMING,
    )
    async with running(client):
        await client.wait_connected()
    assert failures(client) == [S.HANDSHAKING] * 3
    assert client.statistics.main_loop_errors == 3
    assert len(logged(caplog)) == 1  # once in a row
    delays = [c.delay for c in client.introspection.transitions if c.delay is not None]
    assert len(delays) == 3


async def test_an_exception_before_there_is_a_connection_is_retried(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    boom = Boom(1)

    async def open_socket(*arguments: Any) -> object:  # noqa: ANN401 - passed on
        boom()
        return await transport.open_socket(*arguments)

    monkeypatch.setattr(reconnect, "open_socket", open_socket)
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
    assert failures(client) == [S.CONNECTING]


async def test_an_exception_in_a_pause_is_retried(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.PAIRING, times=1)
    client = client_of(gateway, WATCHFUL, BrokenDetector(Boom(1)))
    async with running(client):
        await wait_for_state(client, S.CONNECTED)
    assert failures(client) == [S.PAUSED]


async def test_waiting_that_fails_again_is_waited_for_in_another_way(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnect, "FALLBACK_DELAY", 0)
    gateway.refuse(Refusal.STARTING_HTTP, times=1)
    client = client_of(gateway, WATCHFUL, BrokenDetector(Boom(2)))
    async with running(client):
        await client.wait_connected()
    assert failures(client) == [S.RECONNECTING] * 2


async def test_a_run_that_cannot_be_recovered_costs_nothing_else(
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(recovery, "read_transcript", Boom(1))
    gateway.script(Reply("It"), Pause(), Reply(" is on."))
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("Go", "agent:main:x"))
        await gateway.wait_paused()
        gateway.drop()
        with pytest.raises(UnexpectedError):
            await run.result()
        await client.wait_connected()
        await client.request("health")
        gateway.proceed()
    assert client.statistics.drops == 1
    assert client.introspection.task_failures == {"recovery": 1}
    assert SECRET not in caplog.text


def read_only() -> OSError:
    return OSError(errno.EROFS, f"Read-only file system: {SECRET}")


@pytest.mark.parametrize(
    ("error", "name"), [(read_only, "OSError (EROFS)"), (TypeError, "TypeError")]
)
async def test_a_token_that_cannot_be_stored_stays_in_use(
    gateway: GatewaySimulator,
    caplog: pytest.LogCaptureFixture,
    error: Callable[[], Exception],
    name: str,
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.clawd")

    async def save(_: DeviceToken | None) -> None:
        raise error()

    credentials = Credentials(
        DeviceIdentity.generate(), ClientInfo("0"), gateway.token, save=save
    )
    client = GatewayClient(
        Endpoint(gateway.host, gateway.port), credentials, timing=TIMING
    )
    async with running(client):
        await client.wait_connected(retry=False)
        own = credentials.device_token
        assert own
        # It is shown in the next attempt, which has no other.
        credentials.token = None
        gateway.drop()
        await wait_for_state(client, S.RECONNECTING)
        await client.wait_connected()
    errors = client.introspection.store_errors
    assert (errors.count, errors.last) == (1, name)
    assert gateway.received("connect")[-1].params["auth"] == {"token": own.token}
    assert SECRET not in caplog.text


async def test_a_refused_token_that_cannot_be_deleted_costs_nothing(
    gateway: GatewaySimulator,
) -> None:
    async def save(_: DeviceToken | None) -> None:
        raise read_only()

    credentials = Credentials(
        DeviceIdentity.generate(),
        ClientInfo("0"),
        device_token=DeviceToken("refused", ()),
        save=save,
    )
    client = GatewayClient(
        Endpoint(gateway.host, gateway.port), credentials, timing=TIMING
    )
    async with running(client) as task:
        await wait_for_state(client, S.PAUSED)
        credentials.token = gateway.token
        client.resume()
        await wait_for_state(client, S.CONNECTED)
        assert not task.done()
    assert client.introspection.store_errors.count == 2
    assert client.statistics.main_loop_errors == 0


async def test_a_question_without_a_connection_is_remembered(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    with pytest.raises(NotConnectedError):
        await client.start_run(RunRequest("Go", "agent:main:x"))
    [outcome] = client.introspection.run_outcomes
    assert (outcome.code, outcome.accepted) == ("NOT_CONNECTED", False)
