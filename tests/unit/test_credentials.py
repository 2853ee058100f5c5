"""A client is let in with the Gateway's token, or with its own."""

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

from .clients import TIMING, reached, running

S = ConnectionState
WRONG = "not-the-token"


@dataclass
class Keeper:
    """A store of device tokens."""

    kept: list[DeviceToken | None] = field(default_factory=list)

    async def save(self, token: DeviceToken | None) -> None:
        """Keep a token, or None."""
        self.kept.append(token)


@pytest.fixture
def keeper() -> Keeper:
    """Return an empty store."""
    return Keeper()


@pytest.fixture
async def credentials(gateway: GatewaySimulator, keeper: Keeper) -> Credentials:
    """Return credentials with a device token from the Gateway."""
    credentials = Credentials(
        DeviceIdentity.generate(), ClientInfo("0"), gateway.token, save=keeper.save
    )
    await client(gateway, credentials).fetch_info()
    return credentials


def client(gateway: GatewaySimulator, credentials: Credentials) -> GatewayClient:
    """Return a client of the Gateway."""
    endpoint = Endpoint(gateway.host, gateway.port)
    return GatewayClient(endpoint, credentials, timing=TIMING)


def shown(gateway: GatewaySimulator) -> list[str | None]:
    """Return the tokens that the Gateway was shown, oldest first."""
    return [r.params["auth"].get("token") for r in gateway.received("connect")]


async def test_a_device_token_is_kept_once(
    gateway: GatewaySimulator, credentials: Credentials, keeper: Keeper
) -> None:
    await client(gateway, credentials).fetch_info()
    issued = gateway.devices.tokens[credentials.identity.device_id]
    scopes = ("operator.read", "operator.write")
    assert keeper.kept == [DeviceToken(issued, scopes)]
    assert shown(gateway) == [gateway.token, gateway.token]


async def test_a_hello_without_a_device_token_leaves_what_there_is(
    gateway: GatewaySimulator, credentials: Credentials, keeper: Keeper
) -> None:
    await client(gateway, credentials).fetch_info()
    known = credentials.device_token
    await credentials.accept(None)
    assert credentials.device_token == known
    assert len(keeper.kept) == 1


async def test_a_new_device_token_is_kept_before_it_is_used(
    gateway: GatewaySimulator, credentials: Credentials, keeper: Keeper
) -> None:
    states: list[ConnectionState] = []
    other = client(gateway, credentials)

    async def save(token: DeviceToken | None) -> None:
        states.append(other.state)
        await keeper.save(token)

    credentials.save = save
    gateway.devices.tokens[credentials.identity.device_id] = "rotated"
    async with running(other):
        await other.wait_connected()
    assert states == [S.HANDSHAKING]
    assert keeper.kept[-1] == credentials.device_token
    assert credentials.device_token
    assert credentials.device_token.token == "rotated"


async def test_a_refused_token_is_replaced_once_by_the_devices(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    credentials.token = WRONG
    assert credentials.device_token
    own = credentials.device_token.token
    other = client(gateway, credentials)
    async with running(other):
        await other.wait_connected(retry=False)
        [fall] = [
            c for c in other.introspection.transitions if c.cause is Cause.FALLEN_BACK
        ]
        assert fall.delay is not None
        assert fall.delay <= TIMING.initial_delay
        gateway.drop()
        await reached(other, S.RECONNECTING)
        await other.wait_connected()
    assert shown(gateway)[1:] == [WRONG, own, own]


async def test_a_device_token_is_shown_where_there_is_no_other(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    credentials.token = None
    await client(gateway, credentials).fetch_info()


async def test_a_device_token_that_is_refused_too_is_forgotten(
    gateway: GatewaySimulator, credentials: Credentials, keeper: Keeper
) -> None:
    credentials.token = WRONG
    gateway.devices.tokens.clear()
    other = client(gateway, credentials)
    async with running(other):
        with pytest.raises(InvalidTokenError):
            await other.wait_connected()
        assert other.introspection.transitions[-1].pause is PauseReason.TOKEN
    assert len(shown(gateway)) == 3
    assert (keeper.kept[-1], credentials.device_token) == (None, None)
    assert credentials.auth == {"token": WRONG}


async def test_a_new_device_token_does_not_go_before_the_gateways(
    credentials: Credentials,
) -> None:
    refusal = InvalidTokenError("x", code="AUTH_TOKEN_MISMATCH")
    assert await credentials.fall_back(refusal, trusted=True)
    assert not await credentials.fall_back(refusal, trusted=True)
    await credentials.accept(DeviceToken("new", ()))
    assert credentials.auth == {"token": credentials.token}


@pytest.mark.parametrize("refusal", [Refusal.TOKEN_MISSING, Refusal.SIGNATURE])
async def test_other_refusals_do_not_call_for_the_device_token(
    gateway: GatewaySimulator, credentials: Credentials, refusal: Refusal
) -> None:
    gateway.refuse(refusal)
    other = client(gateway, credentials)
    async with running(other):
        await reached(other, S.PAUSED)
    assert shown(gateway) == [gateway.token] * 2


async def test_a_device_token_is_not_shown_to_just_anyone(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    credentials.token = WRONG
    endpoint = Endpoint("localhost.localdomain", gateway.port)
    assert not endpoint.trusted
    assert not await credentials.fall_back(
        InvalidTokenError("x", code="AUTH_TOKEN_MISMATCH"), trusted=endpoint.trusted
    )
    assert credentials.auth == {"token": WRONG}
    assert replace(endpoint, fingerprint="0" * 64).trusted


async def test_two_tokens_of_the_same_text_are_not_tried_for_ever(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    assert credentials.device_token
    credentials.token = credentials.device_token.token
    gateway.devices.tokens.clear()
    other = client(gateway, credentials)
    async with running(other):
        await reached(other, S.PAUSED)
    assert len(shown(gateway)) == 3


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_password_opens_where_one_is_wanted(protocol: int) -> None:
    async with GatewaySimulator(protocol=protocol, mode="password") as gateway:
        credentials = Credentials(
            DeviceIdentity.generate(), ClientInfo("0"), password=gateway.token
        )
        await client(gateway, credentials).fetch_info()
        assert credentials.device_token
        assert gateway.received("connect")[0].params["auth"] == {
            "password": gateway.token
        }


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize(
    ("password", "code"),
    [(None, "AUTH_PASSWORD_MISSING"), (WRONG, "AUTH_PASSWORD_MISMATCH")],
)
async def test_a_gateway_says_that_it_wants_a_password(
    protocol: int, password: str | None, code: str
) -> None:
    async with GatewaySimulator(protocol=protocol, mode="password") as gateway:
        credentials = Credentials(
            DeviceIdentity.generate(), ClientInfo("0"), password=password
        )
        with pytest.raises(InvalidTokenError) as caught:
            await client(gateway, credentials).fetch_info()
    assert (caught.value.code, caught.value.wants_password) == (code, True)


async def test_a_wrong_token_is_told_from_a_missing_password(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    credentials.token = WRONG
    with pytest.raises(InvalidTokenError) as caught:
        await client(gateway, credentials).fetch_info()
    assert not caught.value.wants_password
    gateway.mode = "password"
    with pytest.raises(InvalidTokenError) as caught:
        await client(gateway, credentials).fetch_info()
    assert caught.value.wants_password


async def test_the_devices_own_token_does_not_replace_a_wrong_password(
    gateway: GatewaySimulator, credentials: Credentials
) -> None:
    gateway.mode, credentials.token, credentials.password = "password", None, WRONG
    other = client(gateway, credentials)
    async with running(other):
        await reached(other, S.PAUSED)
    assert credentials.device_token
    assert len(gateway.received("connect")) == 2


async def test_a_bootstrap_token_is_shown_until_there_is_a_device_token() -> None:
    async with GatewaySimulator() as gateway:
        gateway.devices.bootstrap_tokens.add("bootstrap")
        credentials = Credentials(
            DeviceIdentity.generate(), ClientInfo("0"), bootstrap_token="bootstrap"
        )
        await client(gateway, credentials).fetch_info()
        gateway.devices.bootstrap_tokens.clear()
        await client(gateway, credentials).fetch_info()
        assert credentials.device_token
        assert [r.params["auth"] for r in gateway.received("connect")] == [
            {"bootstrapToken": "bootstrap"},
            {"token": credentials.device_token.token},
        ]


async def test_a_bootstrap_token_goes_before_a_device_token_of_old() -> None:
    async with GatewaySimulator() as gateway:
        gateway.devices.bootstrap_tokens.add("bootstrap")
        credentials = Credentials(
            DeviceIdentity.generate(),
            ClientInfo("0"),
            device_token=DeviceToken("of old", ()),
            bootstrap_token="bootstrap",
        )
        await client(gateway, credentials).fetch_info()
        assert credentials.device_token != DeviceToken("of old", ())


async def test_a_bootstrap_token_that_is_used_up_is_refused() -> None:
    async with GatewaySimulator() as gateway:
        credentials = Credentials(
            DeviceIdentity.generate(), ClientInfo("0"), bootstrap_token="used up"
        )
        with pytest.raises(InvalidTokenError) as caught:
            await client(gateway, credentials).fetch_info()
    assert caught.value.code == "AUTH_BOOTSTRAP_TOKEN_INVALID"
    assert not caught.value.wants_password
