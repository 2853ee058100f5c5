"""Credentials of the client."""

from dataclasses import dataclass, field, replace

import pytest

from custom_components.clawd.gateway import (
    Cause,
    ClientInfo,
    ConnectionState,
    Credentials,
    DeviceIdentity,
    DeviceToken,
    Endpoint,
    GatewayClient,
    InvalidTokenError,
    PauseReason,
)
from tests.simulator import GatewaySimulator, Refusal
from tests.unit.clients import TIMING, running, wait_for_state

S = ConnectionState
WRONG_TOKEN = "not-the-token"


@dataclass
class TokenStore:
    """Store of device tokens."""

    saved: list[DeviceToken | None] = field(default_factory=list)

    async def save(self, token: DeviceToken | None) -> None:
        """Save a token."""
        self.saved.append(token)


@pytest.fixture
def token_store() -> TokenStore:
    """Return an empty store."""
    return TokenStore()


@pytest.fixture
async def credentials(
    gateway: GatewaySimulator, token_store: TokenStore
) -> Credentials:
    """Return credentials with a device token from the Gateway."""
    credentials = Credentials(
        DeviceIdentity.generate(), ClientInfo("0"), gateway.token, save=token_store.save
    )
    await make_client(gateway, credentials).fetch_info()
    return credentials


def make_client(gateway: GatewaySimulator, credentials: Credentials) -> GatewayClient:
    """Return a client of the Gateway."""
    endpoint = Endpoint(gateway.host, gateway.port)
    return GatewayClient(endpoint, credentials, timing=TIMING)


def sent_tokens(gateway: GatewaySimulator) -> list[str | None]:
    """Return the tokens sent to the Gateway, oldest first."""
    return [r.params["auth"].get("token") for r in gateway.received("connect")]


async def test_device_token_is_saved_once(
    gateway: GatewaySimulator, credentials: Credentials, token_store: TokenStore
) -> None:
    await make_client(gateway, credentials).fetch_info()
    issued = gateway.devices.tokens[credentials.identity.device_id]
    scopes = ("operator.read", "operator.write")
    assert token_store.saved == [DeviceToken(issued, scopes)]
    assert sent_tokens(gateway) == [gateway.token, gateway.token]


async def test_hello_without_device_token_keeps_stored_one(
    gateway: GatewaySimulator, credentials: Credentials, token_store: TokenStore
) -> None:
    await make_client(gateway, credentials).fetch_info()
    known = credentials.device_token
    await credentials.accept(None)
    assert credentials.device_token == known
    assert len(token_store.saved) == 1


async def test_new_device_token_is_saved_before_use(
    gateway: GatewaySimulator, credentials: Credentials, token_store: TokenStore
) -> None:
    states: list[ConnectionState] = []
    client = make_client(gateway, credentials)

    async def save(token: DeviceToken | None) -> None:
        states.append(client.state)
        await token_store.save(token)

    credentials.save = save
    gateway.devices.tokens[credentials.identity.device_id] = "rotated"
    async with running(client):
        await client.wait_connected()
    assert states == [S.HANDSHAKING]
    assert token_store.saved[-1] == credentials.device_token
    assert credentials.device_token
    assert credentials.device_token.token == "rotated"


async def test_refused_token_falls_back_once_to_device_token(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    credentials.token = WRONG_TOKEN
    assert credentials.device_token
    device_token = credentials.device_token.token
    client = make_client(gateway, credentials)
    async with running(client):
        await client.wait_connected(retry=False)
        [fallback] = [
            c for c in client.introspection.transitions if c.cause is Cause.FALLEN_BACK
        ]
        assert fallback.delay is not None
        assert fallback.delay <= TIMING.initial_delay
        gateway.drop()
        await wait_for_state(client, S.RECONNECTING)
        await client.wait_connected()
    assert sent_tokens(gateway)[1:] == [WRONG_TOKEN, device_token, device_token]


async def test_device_token_is_used_without_gateway_token(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    credentials.token = None
    await make_client(gateway, credentials).fetch_info()


async def test_refused_device_token_is_deleted(
    gateway: GatewaySimulator, credentials: Credentials, token_store: TokenStore
) -> None:
    credentials.token = WRONG_TOKEN
    gateway.devices.tokens.clear()
    client = make_client(gateway, credentials)
    async with running(client):
        with pytest.raises(InvalidTokenError):
            await client.wait_connected()
        assert client.introspection.transitions[-1].pause is PauseReason.TOKEN
    assert len(sent_tokens(gateway)) == 3
    assert (token_store.saved[-1], credentials.device_token) == (None, None)
    assert credentials.auth == {"token": WRONG_TOKEN}


async def test_gateway_token_precedes_new_device_token(
    credentials: Credentials,
) -> None:
    refusal = InvalidTokenError("x", code="AUTH_TOKEN_MISMATCH")
    assert await credentials.fall_back(refusal, trusted=True)
    assert not await credentials.fall_back(refusal, trusted=True)
    await credentials.accept(DeviceToken("new", ()))
    assert credentials.auth == {"token": credentials.token}


@pytest.mark.parametrize("refusal", [Refusal.TOKEN_MISSING, Refusal.SIGNATURE])
async def test_other_refusals_do_not_fall_back(
    gateway: GatewaySimulator, credentials: Credentials, refusal: Refusal
) -> None:
    gateway.refuse(refusal)
    client = make_client(gateway, credentials)
    async with running(client):
        await wait_for_state(client, S.PAUSED)
    assert sent_tokens(gateway) == [gateway.token] * 2


async def test_device_token_is_not_sent_to_untrusted_endpoint(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    credentials.token = WRONG_TOKEN
    endpoint = Endpoint("localhost.localdomain", gateway.port)
    assert not endpoint.trusted
    assert not await credentials.fall_back(
        InvalidTokenError("x", code="AUTH_TOKEN_MISMATCH"), trusted=endpoint.trusted
    )
    assert credentials.auth == {"token": WRONG_TOKEN}
    assert replace(endpoint, fingerprint="0" * 64).trusted


async def test_equal_tokens_are_not_retried_forever(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    assert credentials.device_token
    credentials.token = credentials.device_token.token
    gateway.devices.tokens.clear()
    client = make_client(gateway, credentials)
    async with running(client):
        await wait_for_state(client, S.PAUSED)
    assert len(sent_tokens(gateway)) == 3


@pytest.mark.parametrize("protocol", [3, 4])
async def test_password_authenticates(protocol: int) -> None:
    async with GatewaySimulator(protocol=protocol, mode="password") as gateway:
        credentials = Credentials(
            DeviceIdentity.generate(), ClientInfo("0"), password=gateway.token
        )
        await make_client(gateway, credentials).fetch_info()
        assert credentials.device_token
        assert gateway.received("connect")[0].params["auth"] == {
            "password": gateway.token
        }


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize(
    ("password", "code"),
    [(None, "AUTH_PASSWORD_MISSING"), (WRONG_TOKEN, "AUTH_PASSWORD_MISMATCH")],
)
async def test_refused_password_error_wants_password(
    protocol: int, password: str | None, code: str
) -> None:
    async with GatewaySimulator(protocol=protocol, mode="password") as gateway:
        credentials = Credentials(
            DeviceIdentity.generate(), ClientInfo("0"), password=password
        )
        with pytest.raises(InvalidTokenError) as caught:
            await make_client(gateway, credentials).fetch_info()
    assert (caught.value.code, caught.value.wants_password) == (code, True)


async def test_wrong_token_is_not_missing_password(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    credentials.token = WRONG_TOKEN
    with pytest.raises(InvalidTokenError) as caught:
        await make_client(gateway, credentials).fetch_info()
    assert not caught.value.wants_password
    gateway.mode = "password"
    with pytest.raises(InvalidTokenError) as caught:
        await make_client(gateway, credentials).fetch_info()
    assert caught.value.wants_password


async def test_wrong_password_does_not_fall_back_to_device_token(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    gateway.mode = "password"
    credentials.token, credentials.password = None, WRONG_TOKEN
    client = make_client(gateway, credentials)
    async with running(client):
        await wait_for_state(client, S.PAUSED)
    assert credentials.device_token
    assert len(gateway.received("connect")) == 2


async def test_bootstrap_token_is_sent_until_device_token_exists() -> None:
    async with GatewaySimulator() as gateway:
        gateway.devices.bootstrap_tokens.add("bootstrap")
        credentials = Credentials(
            DeviceIdentity.generate(), ClientInfo("0"), bootstrap_token="bootstrap"
        )
        await make_client(gateway, credentials).fetch_info()
        gateway.devices.bootstrap_tokens.clear()
        await make_client(gateway, credentials).fetch_info()
        assert credentials.device_token
        assert [r.params["auth"] for r in gateway.received("connect")] == [
            {"bootstrapToken": "bootstrap"},
            {"token": credentials.device_token.token},
        ]


async def test_bootstrap_token_precedes_stored_device_token() -> None:
    async with GatewaySimulator() as gateway:
        gateway.devices.bootstrap_tokens.add("bootstrap")
        credentials = Credentials(
            DeviceIdentity.generate(),
            ClientInfo("0"),
            device_token=DeviceToken("old", ()),
            bootstrap_token="bootstrap",
        )
        await make_client(gateway, credentials).fetch_info()
        assert credentials.device_token != DeviceToken("old", ())


async def test_used_bootstrap_token_is_rejected() -> None:
    async with GatewaySimulator() as gateway:
        credentials = Credentials(
            DeviceIdentity.generate(), ClientInfo("0"), bootstrap_token="used up"
        )
        with pytest.raises(InvalidTokenError) as caught:
            await make_client(gateway, credentials).fetch_info()
    assert caught.value.code == "AUTH_BOOTSTRAP_TOKEN_INVALID"
    assert not caught.value.wants_password
