"""Evidence of past connections, without content and secrets."""

import asyncio
from dataclasses import replace
import time

import pytest

from custom_components.clawd.gateway import (
    AgentRunAborted,
    AgentRunError,
    Cause,
    ClientHistory,
    ClientInfo,
    ConnectionState,
    Credentials,
    DeviceIdentity,
    DeviceToken,
    Endpoint,
    GatewayClient,
    GatewayError,
    Hello,
    Outcome,
    RequestTooLargeError,
    RunRequest,
    Statistics,
)
from custom_components.clawd.gateway.credentials import Credential, DeviceTokenUse
from custom_components.clawd.gateway.protocol.transport import Peer
from custom_components.clawd.gateway.state import MAX_TRANSITIONS
from custom_components.clawd.gateway.statistics import (
    MAX_ERROR_CODES,
    MAX_RUN_OUTCOMES,
    OTHER_CODE,
)
from tests.simulator import Fail, GatewaySimulator, Pause, Refusal, Refuse, Reply
from tests.simulator.recordings import Frame, payload
from tests.unit.clients import TIMING, client_of, connected, running, wait_for_state

S = ConnectionState
KEY = "agent:main:ha-evidence"
WRONG = "not-the-token"


def client_with(
    gateway: GatewaySimulator,
    history: ClientHistory,
    credentials: Credentials | None = None,
    host: str = "127.0.0.1",
    trace_length: int = 200,
) -> GatewayClient:
    """Return a client that continues a history."""
    return GatewayClient(
        Endpoint(host, gateway.port),
        credentials
        or Credentials(DeviceIdentity.generate(), ClientInfo("0"), gateway.token),
        timing=TIMING,
        history=history,
        trace_length=trace_length,
    )


async def ask(client: GatewayClient, message: str = "Go") -> str:
    run = await client.start_run(RunRequest(message, KEY))
    return (await run.result()).text


async def test_the_last_questions_are_remembered_without_their_content(
    gateway: GatewaySimulator,
) -> None:
    before = time.time()
    async with connected(gateway) as client:
        await ask(client, "say: the-secret")
        gateway.script_once(Refuse("the-secret"))
        with pytest.raises(Exception, match="agent failed"):
            await ask(client, "the-secret")
        assert client.hello
        with pytest.raises(RequestTooLargeError):
            await ask(client, "x" * client.hello.policy.max_payload)
        gateway.script_once(Reply("It"), Pause())
        run = await client.start_run(RunRequest("Go", KEY))
        await run.abort()
        gateway.proceed()
    good, refused, large, stopped = client.introspection.run_outcomes
    assert (good.code, good.error, good.accepted, good.attempts) == (
        "ok",
        None,
        True,
        1,
    )
    assert before <= good.at <= time.time()
    assert 0 < good.seconds < 10
    assert (refused.code, refused.error) == ("INVALID_REQUEST", "RequestFailedError")
    assert not refused.accepted
    assert (large.code, large.accepted) == ("REQUEST_TOO_LARGE", False)
    assert (stopped.code, stopped.accepted) == ("ABORTED", True)
    assert stopped.error == AgentRunAborted.__name__
    assert "the-secret" not in repr(client.introspection.run_outcomes)


async def test_only_the_last_questions_are_remembered(
    gateway: GatewaySimulator,
) -> None:
    async with connected(gateway) as client:
        for _ in range(MAX_RUN_OUTCOMES + 1):
            await ask(client)
        assert len(client.introspection.run_outcomes) == MAX_RUN_OUTCOMES


async def test_errors_are_counted_by_method_and_code(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Fail())
    async with connected(gateway) as client:
        with pytest.raises(GatewayError) as caught:
            await client.request("nobody.knows")
        if gateway.protocol == 4:
            with pytest.raises(AgentRunError):
                await ask(client)
        errors = client.statistics.errors
    assert errors["nobody.knows", caught.value.code] == 1
    agent = [code for method, code in errors if method == "agent"]
    assert agent == ([] if gateway.protocol == 3 else ["UNAVAILABLE"])
    assert client.statistics.outcomes["nobody.knows", Outcome.ERROR] == 1


def test_any_number_of_codes_takes_a_limited_space() -> None:
    statistics = Statistics()
    for number in range(MAX_ERROR_CODES + 10):
        statistics.count_error("agent", f"CODE_{number}")
        statistics.count_error("agent", "CODE_0")
    assert statistics.errors["agent", "CODE_0"] == MAX_ERROR_CODES + 11
    assert statistics.errors["agent", OTHER_CODE] == 10
    assert len(statistics.errors) == MAX_ERROR_CODES + 1


async def test_a_restart_is_told_from_a_cut_line(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        gateway.drop()
        await wait_for_state(client, S.RECONNECTING)
        await client.wait_connected()
        await gateway.crash()
        await wait_for_state(client, S.RECONNECTING)
        await gateway.resume()
        await client.wait_connected()
    cut, restart = client.introspection.history.hello_changes
    assert client.statistics.reconnects == 2
    assert (cut.restarted, restart.restarted) == (False, True)
    assert cut.uptime_before
    assert cut.uptime
    assert cut.uptime_before <= cut.uptime
    assert restart.uptime is not None
    assert restart.uptime < 60
    assert cut.changes == {}


@pytest.mark.parametrize(
    ("before", "after", "elapsed", "restarted"),
    [
        (3600, 3700, 100, False),
        (3600, 10, 100, True),
        (10, 50, 100, True),  # after the first hello, and longer up than then
        (None, 50, 100, True),
        (3600, None, 100, None),
    ],
)
def test_the_uptime_tells_a_restart(
    monkeypatch: pytest.MonkeyPatch,
    before: float | None,
    after: float | None,
    elapsed: float,
    restarted: bool | None,  # noqa: FBT001 - a table
) -> None:
    now = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    history, peer = ClientHistory(), Peer("127.0.0.1", None)
    hello = Hello.from_payload(payload(4, "hello_ok", "connect"))
    history.connected(replace(hello, uptime=before), peer)
    now += elapsed
    history.connected(replace(hello, uptime=after), peer)
    [change] = history.hello_changes
    assert change.restarted is restarted


async def test_what_changed_in_the_hello_is_listed(gateway: GatewaySimulator) -> None:
    def shrink(hello: Frame) -> None:
        hello["policy"]["maxPayload"] = 1000
        hello["server"]["version"] = "another"

    client = client_of(gateway)
    async with running(client):
        hello = await client.wait_connected()
        gateway.edit("hello-ok", shrink)
        gateway.drop()
        await wait_for_state(client, S.RECONNECTING)
        await client.wait_connected()
    [change] = client.introspection.history.hello_changes
    assert change.changes == {
        "version": (hello.server_version, "another"),
        "max_payload": (hello.policy.max_payload, 1000),
    }


async def test_the_history_outlives_a_client(gateway: GatewaySimulator) -> None:
    history = ClientHistory()
    one = client_with(gateway, history)
    async with running(one):
        await one.wait_connected()
        await ask(one)
        gateway.drop()
        await wait_for_state(one, S.RECONNECTING)
        await one.wait_connected()
    two = client_with(gateway, history, trace_length=5)
    async with running(two):
        await two.wait_connected()
    assert two.statistics is one.statistics
    assert (two.statistics.connects, two.statistics.drops) == (3, 1)
    assert two.statistics.reconnects == 1
    causes = [change.cause for change in two.introspection.transitions]
    assert causes.count(Cause.STARTED) == causes.count(Cause.STOPPED) == 2
    assert len(two.introspection.run_outcomes) == 1
    assert len(history.hello_changes) == 2
    assert len(two.statistics.trace) == 5
    assert two.statistics.runs_started == two.statistics.runs_ended
    assert two.statistics.requests_issued == two.statistics.requests_completed


async def test_drills_do_not_displace_what_really_happened(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        gateway.drop()
        await wait_for_state(client, S.RECONNECTING)
        await client.wait_connected()
        before = client.introspection.transitions
        for _ in range(MAX_TRANSITIONS // 2):
            await client.interrupt()
            await wait_for_state(client, S.RECONNECTING)
            await client.wait_connected()
        after = client.introspection.transitions
    assert after[: len(before)] == before
    assert all(change.drill for change in after[len(before) :])
    assert len(after) == len(before) + MAX_TRANSITIONS
    times = [change.monotonic_at for change in after]
    assert times == sorted(times)


async def test_a_drill_that_replaces_the_client_is_marked(
    gateway: GatewaySimulator,
) -> None:
    history = ClientHistory()
    one = client_with(gateway, history)
    async with running(one):
        await one.wait_connected()
        one.mark_drill()
    two = client_with(gateway, history)
    async with running(two):
        await two.wait_connected()
    marked = [change.cause for change in two.introspection.transitions if change.drill]
    assert marked == [Cause.STOPPED, Cause.STARTED, Cause.OPENED, Cause.HELLO]


def refused_credentials(device_token: str | None = None) -> Credentials:
    return Credentials(
        DeviceIdentity.generate(),
        ClientInfo("0"),
        WRONG,
        DeviceToken(device_token, ()) if device_token else None,
    )


@pytest.mark.parametrize(
    ("device_token", "host", "use"),
    [
        (None, "127.0.0.1", DeviceTokenUse.ABSENT),
        ("refused-too", "localhost.localdomain", DeviceTokenUse.UNKNOWN_PEER),
        ("refused-too", "127.0.0.1", DeviceTokenUse.SHOWN),
    ],
)
async def test_a_refusal_says_what_was_shown_and_what_was_not(
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    device_token: str | None,
    host: str,
    use: DeviceTokenUse,
) -> None:
    loop = asyncio.get_running_loop()

    async def getaddrinfo(_host: str, port: int, **_: object) -> list[object]:
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    history = ClientHistory()
    client = client_with(gateway, history, refused_credentials(device_token), host)
    async with running(client):
        await wait_for_state(client, S.PAUSED)
    refusal = history.refusal
    assert refusal
    assert refusal.device_token is use
    shown = use is DeviceTokenUse.SHOWN
    assert refusal.shown is (Credential.DEVICE_TOKEN if shown else Credential.TOKEN)
    assert refusal.code.endswith("MISMATCH")
    assert refusal.same_peer is None
    assert WRONG not in repr(history)


async def test_a_refusal_for_another_reason_says_so(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.TOKEN_MISSING)
    history = ClientHistory()
    client = client_with(gateway, history, refused_credentials("own-token"))
    async with running(client):
        await wait_for_state(client, S.PAUSED)
    assert history.refusal
    assert history.refusal.device_token is DeviceTokenUse.OTHER_REFUSAL


async def test_a_refusal_of_the_device_does_not_concern_the_token(
    gateway: GatewaySimulator,
) -> None:
    gateway.refuse(Refusal.PAIRING)
    history = ClientHistory()
    client = client_with(gateway, history)
    async with running(client):
        await wait_for_state(client, S.PAUSED)
    assert history.refusal
    assert history.refusal.device_token is None


async def test_a_token_that_changed_is_refused_by_the_same_peer(
    gateway: GatewaySimulator,
) -> None:
    history = ClientHistory()
    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("0"), gateway.token)
    client = client_with(gateway, history, credentials)
    async with running(client):
        await client.wait_connected()
        gateway.token = "another-token"
        gateway.devices.tokens.clear()
        gateway.drop()
        await wait_for_state(client, S.PAUSED)
    assert history.refusal
    assert history.refusal.same_peer is True


@pytest.mark.parametrize(
    ("known", "now", "same"),
    [
        (Peer("10.0.0.1", None), Peer("10.0.0.1", None), True),
        (Peer("10.0.0.1", None), Peer("10.0.0.2", None), False),
        (Peer("10.0.0.1", "aa"), Peer("10.0.0.2", "aa"), True),
        (Peer("10.0.0.1", "aa"), Peer("10.0.0.1", "bb"), False),
        (Peer("10.0.0.1", "aa"), Peer("10.0.0.1", None), False),
    ],
)
def test_a_peer_is_known_by_its_certificate_or_its_address(
    known: Peer,
    now: Peer,
    same: bool,  # noqa: FBT001 - a table
) -> None:
    history = ClientHistory()
    assert history.is_known(now) is None
    hello = Hello.from_payload(payload(4, "hello_ok", "connect"))
    history.connected(hello, known)
    assert history.is_known(now) is same


async def test_an_attempt_that_reaches_nobody_leaves_the_last_refusal() -> None:
    history = ClientHistory()
    client = GatewayClient(
        Endpoint("8.8.8.8", 1),
        Credentials(DeviceIdentity.generate(), ClientInfo("0")),
        timing=TIMING,
        history=history,
    )
    async with running(client):
        await wait_for_state(client, S.PAUSED)
    assert history.refusal is None
