"""Commands of the Gateway's API, one class an area."""

from typing import Final

from ..models import PAIRING_SCOPE, WRITE_SCOPE
from .agents import Agent, AgentCommands, AgentList
from .artifacts import Artifact, ArtifactCommands
from .base import Method
from .chat import ChatCommands
from .devices import DeviceCommands
from .messages import Message, MessageCommands
from .models import Model, ModelCommands, ThinkingLevel
from .nodes import Node, NodeCommands, PairingRequest
from .runs import RunCommands
from .sessions import SessionCommands, SessionInfo
from .system import SystemCommands
from .tasks import Task, TaskCommands, TaskStatus
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
    "Artifact",
    "ArtifactCommands",
    "ChatCommands",
    "DeviceCommands",
    "EffectiveTools",
    "Message",
    "MessageCommands",
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
    "Task",
    "TaskCommands",
    "TaskStatus",
    "ThinkingLevel",
    "ToolCommands",
    "ToolOutput",
    "ToolPolicy",
]

_AREAS: Final = (
    AgentCommands,
    ArtifactCommands,
    ChatCommands,
    DeviceCommands,
    MessageCommands,
    ModelCommands,
    NodeCommands,
    RunCommands,
    SessionCommands,
    SystemCommands,
    TaskCommands,
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
