"""Profile of the client's connection: role, scopes and capabilities."""

from typing import Final

from .commands import REQUIRED_SCOPES
from .protocol.handshake import ConnectProfile

OPERATOR_PROFILE: Final = ConnectProfile(
    client_id="gateway-client",
    mode="ui",
    role="operator",
    scopes=REQUIRED_SCOPES,
    caps=("tool-events",),
)
