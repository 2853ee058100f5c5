"""Parameters of the connect request."""

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
    """Return credentials of a new device."""
    return Credentials(DeviceIdentity.generate(), INFO, token)


def test_signature_covers_documented_text() -> None:
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


def test_signature_without_token() -> None:
    identity = DeviceIdentity.generate()
    params = build_connect(CHALLENGE, Credentials(identity, INFO), OPERATOR_PROFILE)
    text = (
        f"v2|{identity.device_id}|gateway-client|ui|operator"
        "|operator.read,operator.write|1795472612465||the-nonce"
    )
    assert params["device"]["signature"] == identity.sign(text)
    assert params["auth"] == {}


def test_device_contains_challenge() -> None:
    identity = DeviceIdentity.generate()
    device = build_connect(
        CHALLENGE, Credentials(identity, INFO, TOKEN), OPERATOR_PROFILE
    )["device"]
    assert (device["nonce"], device["signedAt"]) == ("the-nonce", CHALLENGE.ts)
    assert (device["id"], device["publicKey"]) == (
        identity.device_id,
        identity.public_key,
    )


def test_connect_offers_both_protocols() -> None:
    params = build_connect(CHALLENGE, credentials(), OPERATOR_PROFILE)
    assert (params["minProtocol"], params["maxProtocol"]) == (3, 4)
    assert (params["role"], params["scopes"]) == ("operator", list(REQUIRED_SCOPES))
    assert params["auth"] == {"token": TOKEN}


def test_connect_capabilities() -> None:
    params = build_connect(CHALLENGE, credentials(), OPERATOR_PROFILE)
    assert params["caps"] == ["tool-events"]


@pytest.mark.parametrize("protocol", [3, 4])
def test_connect_fields_match_recording(protocol: int) -> None:
    recorded = next(
        line["frame"]["params"]
        for line in recording(protocol, "hello_ok")
        if line.get("dir") == "out"
    )
    params = build_connect(CHALLENGE, credentials(), OPERATOR_PROFILE)
    assert params.keys() == recorded.keys()
    for part in ("client", "device", "auth"):
        assert params[part].keys() == recorded[part].keys()


def test_connect_stays_below_pre_auth_limit() -> None:
    params = build_connect(CHALLENGE, credentials("t" * 4096), OPERATOR_PROFILE)
    assert len(orjson.dumps(params)) < 65_536
