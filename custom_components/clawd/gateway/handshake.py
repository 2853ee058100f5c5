"""The handshake: what `connect` says, and how it is signed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .models import MAX_PROTOCOL, MIN_PROTOCOL, READ_SCOPE, WRITE_SCOPE

if TYPE_CHECKING:
    from .credentials import Credentials
    from .frames import Payload
    from .models import Challenge

CLIENT_ID: Final = "gateway-client"
CLIENT_MODE: Final = "ui"
ROLE: Final = "operator"
CAPABILITIES: Final = ("tool-events",)
SCOPES: Final = (READ_SCOPE, WRITE_SCOPE)


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """How this client presents itself; free text that the Gateway shows."""

    version: str
    display_name: str = "Home Assistant"
    platform: str = "linux"


def build_connect(challenge: Challenge, credentials: Credentials) -> Payload:
    """Return the parameters of `connect` that answer a challenge.

    The signed text is the `v2` form, which protocols 3 and 4 both accept; a
    password is not part of it.
    """
    identity, info, auth = credentials.identity, credentials.info, credentials.auth
    signed = (
        "v2",
        identity.device_id,
        CLIENT_ID,
        CLIENT_MODE,
        ROLE,
        ",".join(SCOPES),
        str(challenge.ts),
        auth.get("token") or auth.get("bootstrapToken", ""),
        challenge.nonce,
    )
    return {
        "minProtocol": MIN_PROTOCOL,
        "maxProtocol": MAX_PROTOCOL,
        "client": {
            "id": CLIENT_ID,
            "version": info.version,
            "platform": info.platform,
            "mode": CLIENT_MODE,
            "displayName": info.display_name,
        },
        "role": ROLE,
        "scopes": list(SCOPES),
        "caps": list(CAPABILITIES),
        "auth": auth,
        "device": {
            "id": identity.device_id,
            "publicKey": identity.public_key,
            "signature": identity.sign("|".join(signed)),
            "signedAt": challenge.ts,
            "nonce": challenge.nonce,
        },
    }
