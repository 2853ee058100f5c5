"""Delivery of replies to Telegram."""

from base64 import b64encode
from collections.abc import AsyncGenerator

import pytest

from custom_components.clawd.gateway import (
    AgentRunError,
    Attachment,
    Delivery,
    GatewayClient,
    Message,
    RequestFailedError,
    RunRequest,
)
from tests.simulator import GatewaySimulator, Reply

from .gateway_harness import GatewayHarness, RealGatewayHarness, SimulatedGatewayHarness
from .telegram import TelegramServer

REPLY = "Hello."
DATA = '{"people": 2}'


@pytest.fixture(params=["real", "simulated"])
async def harness(request: pytest.FixtureRequest) -> AsyncGenerator[GatewayHarness]:
    """Return a Gateway with a channel, real and simulated."""
    if request.param == "real":
        yield RealGatewayHarness(request.getfixturevalue("equipped_gateway"))
        return
    async with GatewaySimulator() as simulator:
        yield SimulatedGatewayHarness(simulator)


def request_to(
    key: str, channel: str, target: str, *, best_effort: bool = True
) -> RunRequest:
    """Return a question with delivery to a channel."""
    delivery = Delivery(channel, target, best_effort=best_effort)
    return RunRequest(f"say {REPLY}", key, delivery=delivery)


async def test_a_reply_is_sent_to_a_channel(
    harness: GatewayHarness,
    client: GatewayClient,
    session_key: str,
    telegram: TelegramServer,
) -> None:
    before = len(telegram.sent)
    harness.set_script(Reply(REPLY))
    run = await client.start_run(request_to(session_key, "telegram", "42"))
    result = await run.result()
    assert (result.text, result.delivery) == (REPLY, "sent")
    if isinstance(harness, RealGatewayHarness):
        assert telegram.sent[before:] == [("42", REPLY)]


async def test_a_reply_outlives_a_failed_delivery(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Reply(REPLY))
    run = await client.start_run(request_to(session_key, "telegram", "@nobody"))
    result = await run.result()
    assert (result.text, result.delivery) == (REPLY, "failed")


async def test_a_failed_delivery_fails_the_run_otherwise(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Reply(REPLY))
    request = request_to(session_key, "telegram", "@nobody", best_effort=False)
    with pytest.raises(AgentRunError):
        await (await client.start_run(request)).result()


async def test_only_the_accepted_answer_is_sent(
    harness: GatewayHarness,
    client: GatewayClient,
    session_key: str,
    telegram: TelegramServer,
) -> None:
    """As `clawd.ask` does where data are asked for, or a file is attached."""
    before = len(telegram.sent)
    harness.set_script(Reply("Wrong."))
    wrong = RunRequest("say Wrong.", session_key)
    assert (await (await client.start_run(wrong)).result()).delivery is None
    note = Attachment("text/plain", "note.txt", b64encode(b"The milk.").decode())
    harness.set_script(Reply(DATA))
    right = RunRequest(f"say {DATA}", session_key, attachments=(note,))
    result = await (await client.start_run(right)).result()
    assert result.text == DATA
    await client.messages.send(Message("42", result.text, "telegram", agent="main"))
    if isinstance(harness, RealGatewayHarness):
        assert telegram.sent[before:] == [("42", DATA)]


async def test_a_channel_that_is_none_is_refused(
    client: GatewayClient, session_key: str
) -> None:
    with pytest.raises(RequestFailedError) as error:
        await client.start_run(request_to(session_key, "none", "42"))
    assert error.value.code == "INVALID_REQUEST"
    assert not await client.sessions.delete(session_key)
