"""Handshake of the simulated Gateway."""

import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.simulator import GatewaySimulator, Refusal
from tests.simulator.raw_client import TOKEN, connect_params, raw_client
from tests.simulator.recordings import Frame


async def _refused(gateway: GatewaySimulator, token: str = TOKEN) -> tuple[Frame, int]:
    """Connect and return error and close code."""
    async with raw_client(gateway.url) as client:
        response = await client.handshake(token)
        assert response["ok"] is False
        with pytest.raises(ConnectionClosed):
            await client.receive()
        return response["error"], client.connection.close_code or 0


@pytest.mark.parametrize(
    ("refusal", "code", "close_code"),
    [
        (Refusal.TOKEN_MISMATCH, "AUTH_TOKEN_MISMATCH", 1008),
        (Refusal.TOKEN_MISSING, "AUTH_TOKEN_MISSING", 1008),
        (Refusal.DEVICE_TOKEN_MISMATCH, "AUTH_DEVICE_TOKEN_MISMATCH", 1008),
        (Refusal.RATE_LIMITED, "AUTH_RATE_LIMITED", 1008),
        (Refusal.SIGNATURE, "DEVICE_AUTH_SIGNATURE_INVALID", 1008),
        (Refusal.PAIRING, "PAIRING_REQUIRED", 1008),
        (Refusal.PROTOCOL, "PROTOCOL_MISMATCH", 1002),
        (Refusal.STARTING, None, 1013),
    ],
)
async def test_refusal_of_connect_closes_connection(
    protocol: int,
    gateway: GatewaySimulator,
    refusal: Refusal,
    code: str,
    close_code: int,
) -> None:
    gateway.refuse(refusal)
    error, closed = await _refused(gateway)
    assert closed == close_code
    found = error.get("details", {}).get("code")
    assert found == (code if protocol == 4 else None)


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (Refusal.STARTING_HTTP, 503),
        (Refusal.PROXY, 403),
        (Refusal.NOT_A_GATEWAY, 404),
    ],
)
async def test_refusal_of_upgrade_has_http_status(
    gateway: GatewaySimulator, refusal: Refusal, status: int
) -> None:
    gateway.refuse(refusal)
    with pytest.raises(InvalidStatus) as caught:
        async with raw_client(gateway.url):
            pass
    assert caught.value.response.status_code == status


@pytest.mark.parametrize(
    ("refusal", "challenges", "close_code"),
    [
        (Refusal.STARTING_CLOSE, 0, 1013),
        (Refusal.DROP_BEFORE_CHALLENGE, 0, 1006),
        (Refusal.DROP_AFTER_CHALLENGE, 1, 1006),
        (Refusal.DROP_BEFORE_HELLO, 1, 1006),
    ],
)
async def test_refusal_without_response_closes_connection(
    gateway: GatewaySimulator, refusal: Refusal, challenges: int, close_code: int
) -> None:
    gateway.refuse(refusal)
    async with raw_client(gateway.url) as client:
        with pytest.raises(ConnectionClosed):
            await client.handshake()
        assert len(client.frames) == challenges
        assert client.connection.close_code == close_code


async def test_refusal_can_be_limited(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.TOKEN_MISMATCH, times=1)
    await _refused(gateway)
    async with raw_client(gateway.url) as client:
        assert (await client.handshake())["ok"]
    assert gateway.attempts == 2


async def test_starting_gateway_has_retry_after(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.STARTING)
    error, _ = await _refused(gateway)
    assert error["retryable"] is True
    assert error["retryAfterMs"] == 500


async def test_changed_token_rejects_old_one(gateway: GatewaySimulator) -> None:
    gateway.token = "another"
    error, _ = await _refused(gateway)
    assert "token mismatch" in error["message"]


async def test_device_token_is_accepted(gateway: GatewaySimulator) -> None:
    key = Ed25519PrivateKey.generate()
    async with raw_client(gateway.url, key) as client:
        hello = (await client.handshake())["payload"]
    gateway.token = "another"
    async with raw_client(gateway.url, key) as client:
        assert (await client.handshake(hello["auth"]["deviceToken"]))["ok"]


async def test_protocol_4_accepts_device_token_field() -> None:
    key = Ed25519PrivateKey.generate()
    async with GatewaySimulator(protocol=4) as gateway:
        async with raw_client(gateway.url, key) as client:
            hello = (await client.handshake())["payload"]
        async with raw_client(gateway.url, key) as client:
            challenge = (await client.event("connect.challenge"))["payload"]
            token = hello["auth"]["deviceToken"]
            params = connect_params(challenge, key, token)
            params["auth"] = {"deviceToken": token}
            assert (await client.request("connect", params))["ok"]


async def test_device_token_of_other_device_is_rejected(
    gateway: GatewaySimulator,
) -> None:
    async with raw_client(gateway.url) as client:
        hello = (await client.handshake())["payload"]
    gateway.token = "another"
    await _refused(gateway, token=hello["auth"]["deviceToken"])


async def test_challenge_uses_gateway_clock(
    gateway: GatewaySimulator,
) -> None:
    gateway.clock_shift_ms = 86_400_000
    async with raw_client(gateway.url) as client:
        assert (await client.handshake())["ok"]
    assert client.frames[0]["payload"]["ts"] > time.time() * 1000 + 80_000_000


async def test_signature_with_old_time_is_rejected(
    gateway: GatewaySimulator,
) -> None:
    async with raw_client(gateway.url) as client:
        challenge = (await client.event("connect.challenge"))["payload"]
        late = challenge | {"ts": challenge["ts"] - 86_400_000}
        response = await client.request("connect", connect_params(late, client.key))
    assert response["error"]["message"] == "device signature expired"


async def test_signature_with_other_nonce_is_rejected(
    gateway: GatewaySimulator,
) -> None:
    async with raw_client(gateway.url) as client:
        challenge = (await client.event("connect.challenge"))["payload"]
        other = challenge | {"nonce": "another"}
        response = await client.request("connect", connect_params(other, client.key))
    assert response["error"]["message"] == "device nonce mismatch"


async def test_signature_with_other_key_is_rejected(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        challenge = (await client.event("connect.challenge"))["payload"]
        params = connect_params(challenge, client.key)
        other = connect_params(challenge, Ed25519PrivateKey.generate())
        params["device"] |= {"publicKey": other["device"]["publicKey"]}
        response = await client.request("connect", params)
    assert response["error"]["message"] == "device identity mismatch"


async def test_protocol_4_accepts_v3_signature_payload() -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        challenge = (await client.event("connect.challenge"))["payload"]
        params = connect_params(challenge, client.key, version="v3")
        assert (await client.request("connect", params))["ok"]


async def test_protocol_3_rejects_v3_signature_payload() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        challenge = (await client.event("connect.challenge"))["payload"]
        params = connect_params(challenge, client.key, version="v3")
        response = await client.request("connect", params)
    assert response["error"]["message"] == "device signature invalid"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"unknown": 1}, "at root: unexpected property 'unknown'"),
        ({"client": {"id": "gateway-client"}}, "at /client: must have required"),
        (
            {"client": {"id": "me", "mode": "ui", "version": "1", "platform": "x"}},
            "at /client: must be equal to one of the allowed values",
        ),
    ],
)
async def test_malformed_connect_is_rejected(
    gateway: GatewaySimulator, other: Frame, message: str
) -> None:
    async with raw_client(gateway.url) as client:
        challenge = (await client.event("connect.challenge"))["payload"]
        params = connect_params(challenge, client.key) | other
        response = await client.request("connect", params)
    assert message in response["error"]["message"]


async def test_protocol_3_rejects_device_token_field() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        response = await client.handshake(auth={"deviceToken": "x"})
    assert "unexpected property 'deviceToken'" in response["error"]["message"]


async def test_oversized_connect_closes_connection(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        with pytest.raises(ConnectionClosed):
            await client.handshake(userAgent="x" * 65_536)
    assert client.connection.close_code == 1009


async def test_protocol_3_grants_all_scopes_for_none() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        hello = await client.handshake(scopes=[])
    assert hello["payload"]["auth"]["scopes"] == ["operator.admin"]


async def test_first_request_must_be_connect(gateway: GatewaySimulator) -> None:
    async with raw_client(gateway.url) as client:
        response = await client.request("health")
        with pytest.raises(ConnectionClosed):
            await client.receive()
    assert response["error"]["code"] == "INVALID_REQUEST"
    assert client.connection.close_code == 1008


async def test_protocol_4_grants_no_scopes_without_device() -> None:
    async with (
        GatewaySimulator(protocol=4) as gateway,
        raw_client(gateway.url) as client,
    ):
        challenge = (await client.event("connect.challenge"))["payload"]
        params = connect_params(challenge, client.key)
        del params["device"]
        hello = (await client.request("connect", params))["payload"]
        response = await client.request("status")
    assert hello["auth"]["scopes"] == []
    assert response["error"]["details"]["missingScope"] == "operator.read"


async def test_protocol_3_issues_no_token_without_device() -> None:
    async with (
        GatewaySimulator(protocol=3) as gateway,
        raw_client(gateway.url) as client,
    ):
        challenge = (await client.event("connect.challenge"))["payload"]
        params = connect_params(challenge, client.key)
        del params["device"]
        hello = (await client.request("connect", params))["payload"]
    assert "auth" not in hello


async def test_device_waits_for_approval(protocol: int) -> None:
    key = Ed25519PrivateKey.generate()
    async with GatewaySimulator(protocol=protocol, pairing=True) as gateway:
        async with raw_client(gateway.url, key) as client:
            response = await client.handshake()
        request_id = response["error"]["details"]["requestId"]
        async with raw_client(gateway.url, key) as client:
            again = await client.handshake()
        assert again["error"]["details"]["requestId"] == request_id
        gateway.approve(request_id)
        async with raw_client(gateway.url, key) as client:
            assert (await client.handshake())["ok"]
        assert gateway.devices.pending == {}


async def test_more_scopes_require_new_approval(protocol: int) -> None:
    key = Ed25519PrivateKey.generate()
    async with GatewaySimulator(protocol=protocol) as gateway:
        async with raw_client(gateway.url, key) as client:
            await client.handshake(scopes=["operator.read"])
        gateway.pairing = True
        async with raw_client(gateway.url, key) as client:
            response = await client.handshake()
    assert response["error"]["code"] == "NOT_PAIRED"


async def test_protocol_4_opens_new_request_for_more_scopes(protocol: int) -> None:
    key = Ed25519PrivateKey.generate()
    asked = []
    async with GatewaySimulator(protocol=protocol, pairing=True) as gateway:
        for scopes in (["operator.read"], ["operator.read", "operator.write"]):
            async with raw_client(gateway.url, key) as client:
                response = await client.handshake(scopes=scopes)
                asked.append(response["error"]["details"]["requestId"])
        assert list(gateway.devices.pending) == [asked[-1]]
    assert (asked[0] == asked[1]) is (protocol == 3)


async def test_other_operator_can_approve(gateway: GatewaySimulator) -> None:
    key = Ed25519PrivateKey.generate()
    scopes = ["operator.read", "operator.pairing"]
    async with raw_client(gateway.url) as owner:
        await owner.handshake(scopes=scopes)
        gateway.pairing = True
        async with raw_client(gateway.url, key) as client:
            await client.handshake()
        listed = (await owner.request("device.pair.list"))["payload"]["pending"]
        request_id = listed[0]["requestId"]
        approved = await owner.request("device.pair.approve", {"requestId": request_id})
        unknown = await owner.request("device.pair.approve", {"requestId": request_id})
        async with raw_client(gateway.url, key) as client:
            assert (await client.handshake())["ok"]
    assert approved["payload"]["requestId"] == request_id
    assert unknown["error"]["message"] == "unknown requestId"


async def test_frames_can_precede_hello(gateway: GatewaySimulator) -> None:
    gateway.before("connect", ("presence", {"presence": []}), "not json")
    async with raw_client(gateway.url) as client:
        await client.event("connect.challenge")
        await client.connection.send("ignored, as it is not JSON")
    async with raw_client(gateway.url) as client:
        challenge = (await client.event("connect.challenge"))["payload"]
        await client.send("connect", connect_params(challenge, client.key))
        assert (await client.receive())["event"] == "presence"
        assert await client.connection.recv() == "not json"
        assert (await client.receive())["payload"]["type"] == "hello-ok"


async def test_hello_and_challenge_can_be_edited(gateway: GatewaySimulator) -> None:
    gateway.edit("hello-ok", lambda payload: payload.update(protocol=99))
    gateway.edit("connect.challenge", lambda payload: payload.update(extra=1))
    async with raw_client(gateway.url) as client:
        hello = await client.handshake()
    assert client.frames[0]["payload"]["extra"] == 1
    assert hello["payload"]["protocol"] == 99


async def test_hello_contains_policy(protocol: int) -> None:
    policy = {"maxPayload": 1000, "tickIntervalMs": 50}
    async with (
        GatewaySimulator(protocol=protocol, policy=policy) as gateway,
        raw_client(gateway.url) as client,
    ):
        hello = (await client.handshake())["payload"]
    assert hello["policy"].items() >= policy.items()


async def test_connect_can_be_held(gateway: GatewaySimulator) -> None:
    gateway.hold("connect")
    async with raw_client(gateway.url) as client:
        challenge = (await client.event("connect.challenge"))["payload"]
        id_ = await client.send("connect", connect_params(challenge, client.key))
        await gateway.wait_for_request("connect")
        gateway.release("connect")
        assert (await client.response(id_))["ok"]
