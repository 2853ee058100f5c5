"""The Gateway's side of the handshake: who may connect."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .devices import Devices
from .params import ADMIN, connect_faults
from .recordings import V3, Frame
from .refusals import Refusal, connect_error, invalid_connect, protocol_mismatch

REFUSALS = {
    "token": (Refusal.TOKEN_MISMATCH, Refusal.TOKEN_MISSING),
    "password": (Refusal.PASSWORD_MISMATCH, Refusal.PASSWORD_MISSING),
}
SIGNED = ("token", "deviceToken", "bootstrapToken")
SKEW_MS = {3: 600_000, 4: 120_000}


@dataclass(frozen=True, slots=True)
class Handshake:
    """One attempt to connect; ``local`` devices are paired silently.

    ``mode`` says whether ``token`` is the Gateway's token or its password.
    """

    protocol: int
    mode: str
    token: str
    devices: Devices
    nonce: str
    now_ms: int
    local: bool

    def admit(self, params: Frame) -> str | None:
        """Let a client in and return its device token, if it has a device.

        The request's scopes become those that are granted.

        Raises:
            ConnectError: the request is refused.

        """
        if wrong := connect_faults(self.protocol, params):
            raise invalid_connect(f"invalid connect params: {wrong}")
        lowest, highest = params["minProtocol"], params["maxProtocol"]
        if not lowest <= self.protocol <= highest:
            raise protocol_mismatch(self.protocol, lowest, highest)
        if "device" in params:
            self._check_device(params)
        self._check_token(params)
        asked = params.get("scopes", [])
        if self.protocol == V3:
            params["scopes"] = asked or [ADMIN]
        elif "device" not in params:
            params["scopes"] = []
        if "device" not in params:
            return None
        return self.devices.admit(params, silent=self.local)

    def refuse(self, refusal: Refusal, params: Frame) -> None:
        """Refuse a client because a script orders it.

        Raises:
            ConnectError: always.

        """
        if refusal is Refusal.PROTOCOL:
            lowest, highest = params["minProtocol"], params["maxProtocol"]
            raise protocol_mismatch(self.protocol, lowest, highest)
        raise connect_error(self.protocol, refusal)

    def _check_device(self, params: Frame) -> None:
        """Raise ConnectError unless the device proves its identity."""
        device = params["device"]
        key = _decode(device["publicKey"])
        if sha256(key).hexdigest() != device["id"]:
            raise connect_error(self.protocol, "identity")
        if abs(self.now_ms - device["signedAt"]) > SKEW_MS[self.protocol]:
            raise connect_error(self.protocol, "stale")
        if device.get("nonce") != self.nonce:
            raise connect_error(self.protocol, "nonce")
        texts = _signed_texts(params)[: 1 if self.protocol == V3 else 2]
        if not any(_signs(key, device["signature"], text) for text in texts):
            raise connect_error(self.protocol, Refusal.SIGNATURE)

    def _check_token(self, params: Frame) -> None:
        """Raise ConnectError unless what the Gateway or the device has is shown."""
        auth = params.get("auth", {})
        token, own = auth.get("token"), auth.get("deviceToken")
        device_id = params.get("device", {}).get("id")
        issued = self.devices.tokens.get(device_id)
        shared = self._shared(auth)
        if self.token in shared or (issued and issued in (token, own)):
            return
        if bootstrap := auth.get("bootstrapToken"):
            if bootstrap in self.devices.bootstraps:
                return
            raise connect_error(self.protocol, "bootstrap")
        if own:
            raise connect_error(self.protocol, Refusal.DEVICE_TOKEN_MISMATCH)
        mismatch, missing = REFUSALS[self.mode]
        if any(shared):
            raise connect_error(self.protocol, mismatch)
        raise connect_error(self.protocol, missing if device_id else "device")

    def _shared(self, auth: Frame) -> list[str | None]:
        """Return what may be the Gateway's secret; protocol 4 looks everywhere."""
        names = [self.mode] if self.protocol == V3 else ["token", "password"]
        return [auth.get(name) for name in names]


def _signed_texts(params: Frame) -> list[str]:
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
        next(filter(None, map(auth.get, SIGNED)), ""),
        device["nonce"],
    ]
    more = [client["platform"], client.get("deviceFamily", "")]
    return ["|".join(["v2", *common]), "|".join(["v3", *common, *more])]


def _signs(key: bytes, signature: str, text: str) -> bool:
    """Return whether a signature of a text is the key's."""
    try:
        public_key = Ed25519PublicKey.from_public_bytes(key)
        public_key.verify(_decode(signature), text.encode())
    except InvalidSignature, ValueError:
        return False
    return True


def _decode(text: str) -> bytes:
    """Decode base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
