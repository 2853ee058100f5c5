"""Connect profiles of operator and node."""

from dataclasses import replace
from typing import Final

from .commands import OPTIONAL_SCOPES, PAIRING_SCOPES, REQUIRED_SCOPES
from .protocol.handshake import ConnectProfile

# Calls a tool of the node.
CALL_TOOL: Final = "mcp.tools.call.v1"
# Shows a notification.
NOTIFY: Final = "system.notify"
OPERATOR_PROFILE: Final = ConnectProfile(
    client_id="gateway-client",
    mode="ui",
    role="operator",
    scopes=REQUIRED_SCOPES,
    caps=("tool-events",),
)
# Also answers the questions of agents.
ANSWERING_PROFILE: Final = replace(OPERATOR_PROFILE, optional_scopes=OPTIONAL_SCOPES)
# Approves our node, and closes.
PAIRING_PROFILE: Final = ConnectProfile(
    client_id="gateway-client",
    mode="ui",
    role="operator",
    scopes=PAIRING_SCOPES,
)
# Another command would need another approval by the user.
NODE_PROFILE: Final = ConnectProfile(
    client_id="node-host",
    mode="node",
    role="node",
    commands=(CALL_TOOL, NOTIFY),
)
