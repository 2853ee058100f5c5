"""The Gateway's side of the handshake: who may connect."""

from base64 import urlsafe_b64decode
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .devices import Devices
from .params import ADMIN, connect_faults
from .recordings import V3
from .refusals import (
    ConnectError,
    Refusal,
    connect_error,
    invalid_connect,
    protocol_mismatch,
)

SKEW_MS = {3: 600_000, 4: 120_000}


def signed_texts(params: dict[str, Any]) -> tuple[str, str]:
    """Return the texts, version 2 and 3, that a device may have signed."""
    client, device = params["client"], params["device"]
    auth = params.get("auth", {})
    common = [
        device["id"],
        client["id"],
        client["mode"],
        params.get("role", "operator"),
        ",".join(params.get("scopes", [])),
        str(device["signedAt"]),
        auth.get("token") or auth.get("deviceToken") or "",
        device["nonce"],
    ]
    more = [client["platform"], client.get("deviceFamily", "")]
    return "|".join(["v2", *common]), "|".join(["v3", *common, *more])


def admit(
    protocol: int,
    params: dict[str, Any],
    *,
    token: str,
    devices: Devices,
    nonce: str,
    now_ms: int,
    local: bool,
) -> str | None:
    """Return the device token of a connect request that is let in, if it has one.

    The request's scopes become those that are granted.

    Raises:
        ConnectError: the request is refused.

    """
    if wrong := connect_faults(protocol, params):
        raise invalid_connect(f"invalid connect params: {wrong}")
    lowest, highest = params["minProtocol"], params["maxProtocol"]
    if not lowest <= protocol <= highest:
        raise protocol_mismatch(protocol, lowest, highest)
    device = params.get("device")
    if device:
        _check_device(protocol, params, nonce, now_ms)
    _check_token(protocol, params, token, devices)
    if device:
        return devices.admit(params, silent=local)
    params["scopes"] = (params.get("scopes") or [ADMIN]) if protocol == V3 else []
    return None


def _check_device(
    protocol: int, params: dict[str, Any], nonce: str, now_ms: int
) -> None:
    """Raise ConnectError unless the device proves its identity."""
    device = params["device"]
    key = _decode(device["publicKey"])
    if sha256(key).hexdigest() != device["id"]:
        raise connect_error(protocol, "identity")
    if abs(now_ms - device["signedAt"]) > SKEW_MS[protocol]:
        raise connect_error(protocol, "stale")
    if device.get("nonce") != nonce:
        raise connect_error(protocol, "nonce")
    texts = signed_texts(params)
    if protocol == V3:
        texts = texts[:1]
    if not any(_signs(key, device["signature"], text) for text in texts):
        raise connect_error(protocol, Refusal.SIGNATURE)


def _check_token(
    protocol: int, params: dict[str, Any], token: str, devices: Devices
) -> None:
    """Raise ConnectError unless the shared or the device token is right."""
    auth = params.get("auth", {})
    shared, own = auth.get("token"), auth.get("deviceToken")
    device_id = params.get("device", {}).get("id")
    issued = devices.tokens.get(device_id)
    if issued in (shared, own) and issued or shared == token:
        return
    if own:
        raise connect_error(protocol, Refusal.DEVICE_TOKEN_MISMATCH)
    if shared:
        raise connect_error(protocol, Refusal.TOKEN_MISMATCH)
    raise connect_error(protocol, Refusal.TOKEN_MISSING if device_id else "device")


def refused(protocol: int, refusal: Refusal, params: dict[str, Any]) -> ConnectError:
    """Return the error of a refusal that a script orders."""
    if refusal is Refusal.PROTOCOL:
        return protocol_mismatch(protocol, params["minProtocol"], params["maxProtocol"])
    return connect_error(protocol, refusal)


def _signs(key: bytes, signature: str, text: str) -> bool:
    """Return whether a signature of a text is the key's."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(
            _decode(signature), text.encode()
        )
    except InvalidSignature, ValueError:
        return False
    return True


def _decode(text: str) -> bytes:
    """Decode base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
