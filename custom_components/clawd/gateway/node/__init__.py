"""Node connection: tools for agents."""

from .approval import approve_node
from .host import NodeHost
from .link import LinkProblem, NodeLink, NodeLinkError, read_node_link
from .models import (
    PLUGIN_ID,
    CallHandler,
    NodeCall,
    NodeCallError,
    NodeStatistics,
    NodeTool,
    OpenCall,
)
from .publisher import takes_tools

__all__ = [
    "PLUGIN_ID",
    "CallHandler",
    "LinkProblem",
    "NodeCall",
    "NodeCallError",
    "NodeHost",
    "NodeLink",
    "NodeLinkError",
    "NodeStatistics",
    "NodeTool",
    "OpenCall",
    "approve_node",
    "read_node_link",
    "takes_tools",
]
