"""Secrets in logs, errors and representations."""

import asyncio
from collections.abc import Iterator
import logging
import traceback
from typing import Final

import pytest

from custom_components.clawd.gateway import (
    ClientInfo,
    ConnectionState,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    GatewayError,
    RunRequest,
)
from tests.simulator import Fail, GatewaySimulator, Pause, Refusal, Refuse, Reply
from tests.unit.clients import TIMING, running, wait_for_state

TOKEN: Final = "the-token-of-the-gateway"
MESSAGE: Final = "who stole the cookie"
PROMPT: Final = "you are a detective"
REPLY: Final = "it was the gardener"
REASON: Final = "the detective is ill"
SESSION: Final = "agent:main:ha-secret-session"
HEADER: Final = "the-header-of-the-proxy"


class RecordedSession:
    """Client with recorded representations."""

    def __init__(self, gateway: GatewaySimulator) -> None:
        """Create the client."""
        gateway.token = TOKEN
        self.gateway = gateway
        self.identity = DeviceIdentity.generate()
        self.endpoint = Endpoint(
            gateway.host, gateway.port, headers={"Authorization": HEADER}
        )
        self.client = GatewayClient(
            self.endpoint,
            Credentials(self.identity, ClientInfo("0.1.0"), TOKEN),
            timing=TIMING,
        )
        self.output: list[str] = []

    def record(self, *objects: object) -> None:
        """Record the representations of objects."""
        client = self.client
        state = (
            client,
            client.hello,
            client.introspection.pending,
            client.introspection.runs,
            client.statistics,
        )
        history = (
            client.introspection.transitions,
            client.introspection.tasks,
            client.introspection.listeners,
        )
        for item in (*state, *history, client.last_error, *objects):
            self.output += [str(item), repr(item)]
            if isinstance(item, BaseException):
                self.output += traceback.format_exception(item)

    async def start_runs(self) -> None:
        """Start successful and failing runs."""
        self.gateway.script_once(Reply(REPLY), Pause())
        run = await self.client.start_run(
            RunRequest(MESSAGE, SESSION, extra_system_prompt=PROMPT)
        )
        reader = aiter(run)
        await anext(reader)
        self.record(run, reader)
        self.gateway.proceed()
        self.record(await run.result())
        for step in (Refuse(REASON), Fail(REASON)):
            self.gateway.script_once(step)
            try:
                await (
                    await self.client.start_run(RunRequest(MESSAGE, SESSION))
                ).result()
            except GatewayError as err:
                self.record(err)

    async def fail_listener(self) -> None:
        """Send events to a failing listener."""

        def fail(event: object) -> None:
            self.record(event)
            raise ValueError(MESSAGE, event)

        self.client.subscribe("note", fail)
        self.gateway.before("health", ("note", {"text": MESSAGE}), f"raw {MESSAGE}")
        await self.client.request("health", {"text": MESSAGE})

    async def reconnect_refused(self) -> None:
        """Reconnect to a Gateway that refuses the client."""
        self.gateway.token = "another-token"
        self.gateway.devices.tokens.clear()
        self.gateway.drop()
        await wait_for_state(self.client, ConnectionState.PAUSED)
        self.record()

    def secrets(self) -> Iterator[str]:
        """Yield the secrets."""
        yield from (TOKEN, MESSAGE, PROMPT, REPLY, REASON, SESSION, HEADER)
        yield self.identity.secret
        yield from self.gateway.devices.tokens.values()


async def test_session_leaks_no_secret(
    gateway: GatewaySimulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="websockets.server")
    caplog.set_level(logging.DEBUG)
    session = RecordedSession(gateway)
    async with running(session.client):
        session.record(session.endpoint, session.identity)
        await session.client.wait_connected()
        await session.start_runs()
        await session.fail_listener()
        gateway.hold("status")
        request = asyncio.create_task(session.client.request("status", {"x": MESSAGE}))
        await gateway.wait_for_request("status")
        session.record(request)
        known = list(session.secrets())
        await session.reconnect_refused()
        gateway.release("status")
        with pytest.raises(GatewayError) as caught:
            await request
        session.record(caught.value)
    session.record()
    assert len(known) == 9
    for secret in known:
        assert secret not in caplog.text
        assert [text for text in session.output if secret in text] == []


@pytest.mark.parametrize("refusal", [r for r in Refusal if r is not Refusal.PROXY])
async def test_refusal_does_not_repeat_token(
    gateway: GatewaySimulator, refusal: Refusal
) -> None:
    session = RecordedSession(gateway)
    gateway.refuse(refusal)
    with pytest.raises(GatewayError) as caught:
        await session.client.fetch_info()
    session.record(caught.value)
    assert [text for text in session.output if TOKEN in text or HEADER in text] == []


def test_credentials_repr_hides_token() -> None:
    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("0.1.0"), TOKEN)
    assert TOKEN not in repr(credentials)
