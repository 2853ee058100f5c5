"""No secret gets into a log, a text of an error or what is shown of an object."""

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
from tests.unit.clients import TIMING, reached, running

TOKEN: Final = "the-token-of-the-gateway"
MESSAGE: Final = "who stole the cookie"
PROMPT: Final = "you are a detective"
REPLY: Final = "it was the gardener"
REASON: Final = "the detective is ill"
SESSION: Final = "agent:main:ha-secret-session"
HEADER: Final = "the-header-of-the-proxy"


class Session:
    """All that a client does, and all that it shows meanwhile."""

    def __init__(self, gateway: GatewaySimulator) -> None:
        """Prepare the client."""
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
        self.shown: list[str] = []

    def show(self, *objects: object) -> None:
        """Keep how objects look."""
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
            self.shown += [str(item), repr(item)]
            if isinstance(item, BaseException):
                self.shown += traceback.format_exception(item)

    async def talk(self) -> None:
        """Ask with and without success."""
        self.gateway.script_once(Reply(REPLY), Pause())
        run = await self.client.start_run(
            RunRequest(MESSAGE, SESSION, extra_system_prompt=PROMPT)
        )
        told = aiter(run)
        await anext(told)
        self.show(run, told)
        self.gateway.proceed()
        self.show(await run.result())
        for step in (Refuse(REASON), Fail(REASON)):
            self.gateway.script_once(step)
            try:
                await (
                    await self.client.start_run(RunRequest(MESSAGE, SESSION))
                ).result()
            except GatewayError as err:
                self.show(err)

    async def listen(self) -> None:
        """Hear events with a listener that fails with them."""

        def fail(event: object) -> None:
            self.show(event)
            raise ValueError(MESSAGE, event)

        self.client.subscribe("note", fail)
        self.gateway.before("health", ("note", {"text": MESSAGE}), f"raw {MESSAGE}")
        await self.client.request("health", {"text": MESSAGE})

    async def be_refused(self) -> None:
        """Come back to a Gateway that knows nobody any more."""
        self.gateway.token = "another-token"
        self.gateway.devices.tokens.clear()
        self.gateway.drop()
        await reached(self.client, ConnectionState.PAUSED)
        self.show()

    def secrets(self) -> Iterator[str]:
        """Return what must not be seen."""
        yield from (TOKEN, MESSAGE, PROMPT, REPLY, REASON, SESSION, HEADER)
        yield self.identity.secret
        yield from self.gateway.devices.tokens.values()


async def test_session_leaks_no_secret(
    gateway: GatewaySimulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="websockets.server")
    caplog.set_level(logging.DEBUG)
    session = Session(gateway)
    async with running(session.client):
        session.show(session.endpoint, session.identity)
        await session.client.wait_connected()
        await session.talk()
        await session.listen()
        gateway.hold("status")
        request = asyncio.create_task(session.client.request("status", {"x": MESSAGE}))
        await gateway.wait_for_request("status")
        session.show(request)
        known = list(session.secrets())
        await session.be_refused()
        gateway.release("status")
        with pytest.raises(GatewayError) as caught:
            await request
        session.show(caught.value)
    session.show()
    assert len(known) == 9
    for secret in known:
        assert secret not in caplog.text
        assert [text for text in session.shown if secret in text] == []


@pytest.mark.parametrize("refusal", [r for r in Refusal if r is not Refusal.PROXY])
async def test_refusal_does_not_repeat_token(
    gateway: GatewaySimulator, refusal: Refusal
) -> None:
    session = Session(gateway)
    gateway.refuse(refusal)
    with pytest.raises(GatewayError) as caught:
        await session.client.fetch_info()
    session.show(caught.value)
    assert [text for text in session.shown if TOKEN in text or HEADER in text] == []


def test_credentials_repr_hides_token() -> None:
    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("0.1.0"), TOKEN)
    assert TOKEN not in repr(credentials)
