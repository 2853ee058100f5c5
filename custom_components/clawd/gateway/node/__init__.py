"""Node connection: tools for agents."""

from .approval import approve_node
from .host import NodeHost
from .link import LinkProblem, NodeLinkError, read_node_link
from .models import PLUGIN_ID, NodeCall, NodeCallError, NodeStatistics, NodeTool
from .publisher import takes_tools

__all__ = [
    "PLUGIN_ID",
    "LinkProblem",
    "NodeCall",
    "NodeCallError",
    "NodeHost",
    "NodeLinkError",
    "NodeStatistics",
    "NodeTool",
    "approve_node",
    "read_node_link",
    "takes_tools",
]
