"""Commands of the Gateway's API, one class an area."""

from typing import Final

from .agents import Agent, AgentCommands, AgentList
from .base import Method
from .chat import ChatCommands
from .devices import DeviceCommands
from .models import Model, ModelCommands, ThinkingLevel
from .runs import RunCommands
from .sessions import SessionCommands
from .system import SystemCommands

__all__ = [
    "METHODS",
    "REQUIRED_METHODS",
    "REQUIRED_SCOPES",
    "Agent",
    "AgentCommands",
    "AgentList",
    "ChatCommands",
    "DeviceCommands",
    "Method",
    "Model",
    "ModelCommands",
    "RunCommands",
    "SessionCommands",
    "SystemCommands",
    "ThinkingLevel",
]

_AREAS: Final = (
    AgentCommands,
    ChatCommands,
    DeviceCommands,
    ModelCommands,
    RunCommands,
    SessionCommands,
    SystemCommands,
)
METHODS: Final = tuple(
    sorted((method for area in _AREAS for method in area.methods()), key=str)
)
REQUIRED_METHODS: Final = tuple(
    method.name for method in METHODS if not method.optional
)
REQUIRED_SCOPES: Final = tuple(sorted({method.scope for method in METHODS}))
