"""Handshake: content and signature of `connect`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..models import MAX_PROTOCOL, MIN_PROTOCOL

if TYPE_CHECKING:
    from ..credentials import Credentials
    from ..models import Challenge, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectProfile:
    """Role and rights of a connection.

    Attributes:
        client_id: from the Gateway's closed list of clients.
        mode: from the Gateway's closed list of modes.
        scopes: rights of an operator.
        optional_scopes: further rights, asked for once the device has them.
        caps: optional features of the protocol that the client implements.
        commands: commands that a node serves.

    """

    client_id: str
    mode: str
    role: str
    scopes: tuple[str, ...] = ()
    optional_scopes: tuple[str, ...] = ()
    caps: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


def build_connect(
    challenge: Challenge, credentials: Credentials, profile: ConnectProfile
) -> Payload:
    """Build the parameters of `connect`."""
    identity, info, auth = credentials.identity, credentials.info, credentials.auth
    scopes = credentials.scopes(profile.scopes, profile.optional_scopes)
    # The `v2` form, which protocols 3 and 4 accept; a password is not signed:
    # v2|<device>|gateway-client|ui|operator|<scope>,<scope>|<ts>|<token>|<nonce>
    signed = (
        "v2",
        identity.device_id,
        profile.client_id,
        profile.mode,
        profile.role,
        ",".join(scopes),
        str(challenge.ts),
        auth.get("token") or auth.get("bootstrapToken", ""),
        challenge.nonce,
    )
    commands = {"commands": list(profile.commands)} if profile.commands else {}
    return {
        "minProtocol": MIN_PROTOCOL,
        "maxProtocol": MAX_PROTOCOL,
        "client": {
            "id": profile.client_id,
            "version": info.version,
            "platform": info.platform,
            "mode": profile.mode,
            "displayName": info.display_name,
        },
        "role": profile.role,
        "scopes": list(scopes),
        "caps": list(profile.caps),
        **commands,
        "auth": auth,
        "device": {
            "id": identity.device_id,
            "publicKey": identity.public_key,
            "signature": identity.sign("|".join(signed)),
            "signedAt": challenge.ts,
            "nonce": challenge.nonce,
        },
    }
