"""The connect request says who asks, for what, and proves it."""

from base64 import urlsafe_b64decode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
import orjson
import pytest

from custom_components.clawd.gateway import (
    OPERATOR_PROFILE,
    REQUIRED_SCOPES,
    ClientInfo,
    Credentials,
    DeviceIdentity,
)
from custom_components.clawd.gateway.models import Challenge
from custom_components.clawd.gateway.protocol.handshake import build_connect
from tests.simulator.recordings import recording

CHALLENGE = Challenge("the-nonce", 1_795_472_612_465)
TOKEN = "tok"
INFO = ClientInfo("0.1.0", "Home", "linux")


def credentials(token: str = TOKEN) -> Credentials:
    """Return those of a new device."""
    return Credentials(DeviceIdentity.generate(), INFO, token)


def test_the_signature_covers_the_documented_text() -> None:
    identity = DeviceIdentity.generate()
    device = build_connect(
        CHALLENGE, Credentials(identity, INFO, TOKEN), OPERATOR_PROFILE
    )["device"]
    text = (
        f"v2|{identity.device_id}|gateway-client|ui|operator"
        "|operator.read,operator.write|1795472612465|tok|the-nonce"
    )
    key = Ed25519PublicKey.from_public_bytes(
        urlsafe_b64decode(identity.public_key + "=")
    )
    key.verify(urlsafe_b64decode(device["signature"] + "=="), text.encode())


def test_without_a_token_the_signature_covers_an_empty_one() -> None:
    identity = DeviceIdentity.generate()
    params = build_connect(CHALLENGE, Credentials(identity, INFO), OPERATOR_PROFILE)
    text = (
        f"v2|{identity.device_id}|gateway-client|ui|operator"
        "|operator.read,operator.write|1795472612465||the-nonce"
    )
    assert params["device"]["signature"] == identity.sign(text)
    assert params["auth"] == {}


def test_the_device_repeats_the_challenge() -> None:
    identity = DeviceIdentity.generate()
    device = build_connect(
        CHALLENGE, Credentials(identity, INFO, TOKEN), OPERATOR_PROFILE
    )["device"]
    assert (device["nonce"], device["signedAt"]) == ("the-nonce", CHALLENGE.ts)
    assert (device["id"], device["publicKey"]) == (
        identity.device_id,
        identity.public_key,
    )


def test_both_protocols_are_offered() -> None:
    params = build_connect(CHALLENGE, credentials(), OPERATOR_PROFILE)
    assert (params["minProtocol"], params["maxProtocol"]) == (3, 4)
    assert (params["role"], params["scopes"]) == ("operator", list(REQUIRED_SCOPES))
    assert params["auth"] == {"token": TOKEN}


def test_no_capability_is_claimed_that_is_not_there() -> None:
    params = build_connect(CHALLENGE, credentials(), OPERATOR_PROFILE)
    assert params["caps"] == ["tool-events"]


@pytest.mark.parametrize("protocol", [3, 4])
def test_the_request_has_the_fields_of_the_recording(protocol: int) -> None:
    recorded = next(
        line["frame"]["params"]
        for line in recording(protocol, "hello_ok")
        if line.get("dir") == "out"
    )
    params = build_connect(CHALLENGE, credentials(), OPERATOR_PROFILE)
    assert params.keys() == recorded.keys()
    for part in ("client", "device", "auth"):
        assert params[part].keys() == recorded[part].keys()


def test_the_request_stays_below_the_limit_before_the_hello() -> None:
    params = build_connect(CHALLENGE, credentials("t" * 4096), OPERATOR_PROFILE)
    assert len(orjson.dumps(params)) < 65_536
