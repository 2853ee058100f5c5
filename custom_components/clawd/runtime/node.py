"""Runtime data of a node, by which agents reach the home."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..gateway import Credentials, GatewayClient, NodeHost


class NodeApproval(StrEnum):
    """Approval status of a node.

    Attributes:
        DEVICE: it does not let the device in yet.
        COMMANDS: it is connected, but its commands are not approved yet.
        LINK: without a token of the Gateway, only a node link lets it in.

    """

    UNKNOWN = "unknown"
    APPROVED = "approved"
    DEVICE = "device"
    COMMANDS = "commands"
    LINK = "link"


@dataclass
class NodeRuntime:
    """Runtime data of a node.

    Attributes:
        listener_baseline: number of listeners per event after setup.
        events_before: counters of the client before the setup.
        asked_owner: the Gateway wants its owner's approval, not ours.

    """

    client: GatewayClient
    host: NodeHost
    credentials: Credentials
    listener_baseline: Mapping[str, int] = field(default_factory=dict)
    events_before: Mapping[str, int] = field(default_factory=dict)
    approval: NodeApproval = NodeApproval.UNKNOWN
    asked_owner: bool = False
