"""Server side of the handshake."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .devices import Devices
from .params import ADMIN, connect_params_error
from .recordings import V3, Frame
from .refusals import Refusal, connect_error, invalid_connect, protocol_mismatch

SECRET_REFUSALS = {
    "token": (Refusal.TOKEN_MISMATCH, Refusal.TOKEN_MISSING),
    "password": (Refusal.PASSWORD_MISMATCH, Refusal.PASSWORD_MISSING),
}
SIGNED = ("token", "deviceToken", "bootstrapToken")
SKEW_MS = {3: 600_000, 4: 120_000}


@dataclass(frozen=True, slots=True)
class Handshake:
    """One attempt to connect; ``local`` devices are paired silently.

    ``mode``: ``token`` is the Gateway's token or its password.
    """

    protocol: int
    mode: str
    token: str
    devices: Devices
    nonce: str
    now_ms: int
    local: bool

    def accept(self, params: Frame) -> str | None:
        """Accept a connect request; return the device token, if any.

        The request's scopes are replaced by the granted scopes.

        Raises:
            ConnectError: the request is refused.
        """
        if problem := connect_params_error(self.protocol, params):
            raise invalid_connect(f"invalid connect params: {problem}")
        lowest, highest = params["minProtocol"], params["maxProtocol"]
        if not lowest <= self.protocol <= highest:
            raise protocol_mismatch(self.protocol, lowest, highest)
        if "device" in params:
            self._check_device(params)
        self._check_token(params)
        requested = params.get("scopes", [])
        if self.protocol == V3:
            params["scopes"] = requested or [ADMIN]
        elif "device" not in params:
            params["scopes"] = []
        if "device" not in params:
            return None
        invited = params.get("auth", {}).get("bootstrapToken") and (
            params.get("role") == "node"
        )
        return self.devices.pair(params, silent=self.local or bool(invited))

    def refuse(self, refusal: Refusal, params: Frame) -> None:
        """Refuse a client as scripted.

        Raises:
            ConnectError: always.
        """
        if refusal is Refusal.PROTOCOL:
            lowest, highest = params["minProtocol"], params["maxProtocol"]
            raise protocol_mismatch(self.protocol, lowest, highest)
        raise connect_error(self.protocol, refusal)

    def _check_device(self, params: Frame) -> None:
        """Verify the device's identity and signature.

        Raises:
            ConnectError: the device is refused.
        """
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
        """Verify the shared secret, device token or bootstrap token.

        Raises:
            ConnectError: the credentials are refused.
        """
        auth = params.get("auth", {})
        token, device_token = auth.get("token"), auth.get("deviceToken")
        device_id = params.get("device", {}).get("id")
        issued = self.devices.tokens.get(device_id)
        secrets = self._shared_secrets(auth)
        if self.token in secrets:
            return
        if issued and issued in (token, device_token):
            approved = self.devices.approved.get(device_id, set())
            if self.protocol != V3 and not set(params.get("scopes", [])) <= approved:
                raise connect_error(self.protocol, "scope")
            return
        if bootstrap := auth.get("bootstrapToken"):
            if bootstrap in self.devices.bootstrap_tokens:
                return
            raise connect_error(self.protocol, "bootstrap")
        if device_token:
            raise connect_error(self.protocol, Refusal.DEVICE_TOKEN_MISMATCH)
        mismatch, missing = SECRET_REFUSALS[self.mode]
        if any(secrets):
            raise connect_error(self.protocol, mismatch)
        raise connect_error(self.protocol, missing if device_id else "device")

    def _shared_secrets(self, auth: Frame) -> list[str | None]:
        """Return the shared secrets given; protocol 4 accepts either name."""
        names = [self.mode] if self.protocol == V3 else ["token", "password"]
        return [auth.get(name) for name in names]


def _signed_texts(params: Frame) -> list[str]:
    """Return the texts to sign, version 2 and 3."""
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
    """Return whether the signature is valid."""
    try:
        public_key = Ed25519PublicKey.from_public_bytes(key)
        public_key.verify(_decode(signature), text.encode())
    except InvalidSignature, ValueError:
        return False
    return True


def _decode(text: str) -> bytes:
    """Decode base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
