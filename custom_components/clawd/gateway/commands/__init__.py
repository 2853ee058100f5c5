"""Commands of the Gateway's API, one class an area."""

from typing import Final

from ..models import PAIRING_SCOPE, WRITE_SCOPE
from .agents import Agent, AgentCommands, AgentList
from .base import Method
from .chat import ChatCommands
from .devices import DeviceCommands
from .models import Model, ModelCommands, ThinkingLevel
from .nodes import Node, NodeCommands, PairingRequest
from .runs import RunCommands
from .sessions import SessionCommands, SessionInfo
from .system import SystemCommands
from .tools import AgentTool, EffectiveTools, ToolCommands, ToolOutput, ToolPolicy

__all__ = [
    "METHODS",
    "PAIRING_SCOPES",
    "REQUIRED_METHODS",
    "REQUIRED_SCOPES",
    "Agent",
    "AgentCommands",
    "AgentList",
    "AgentTool",
    "ChatCommands",
    "DeviceCommands",
    "EffectiveTools",
    "Method",
    "Model",
    "ModelCommands",
    "Node",
    "NodeCommands",
    "PairingRequest",
    "RunCommands",
    "SessionCommands",
    "SessionInfo",
    "SystemCommands",
    "ThinkingLevel",
    "ToolCommands",
    "ToolOutput",
    "ToolPolicy",
]

_AREAS: Final = (
    AgentCommands,
    ChatCommands,
    DeviceCommands,
    ModelCommands,
    NodeCommands,
    RunCommands,
    SessionCommands,
    SystemCommands,
    ToolCommands,
)
METHODS: Final = tuple(
    sorted((method for area in _AREAS for method in area.methods()), key=str)
)
REQUIRED_METHODS: Final = tuple(
    method.name for method in METHODS if not method.optional
)
# Only the short connection that approves a node may ask for this one.
REQUIRED_SCOPES: Final = tuple(
    sorted({method.scope for method in METHODS} - {PAIRING_SCOPE})
)
# `node.pair.list`: {"requiredApproveScopes": ["operator.pairing", "operator.write"]}.
PAIRING_SCOPES: Final = (PAIRING_SCOPE, WRITE_SCOPE)
