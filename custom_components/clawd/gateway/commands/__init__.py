"""Commands of the Gateway's API."""

from typing import Final

from ..models import PAIRING_SCOPE, QUESTIONS_SCOPE, WRITE_SCOPE
from .agents import Agent, AgentCommands, AgentList
from .artifacts import Artifact, ArtifactCommands
from .base import Method
from .chat import ChatCommands
from .devices import DeviceCommands
from .messages import Message, MessageCommands
from .models import Model, ModelCommands, ThinkingLevel
from .nodes import Node, NodeCommands
from .questions import (
    AgentQuestion,
    QuestionChoice,
    QuestionCommands,
    QuestionItem,
    QuestionStatus,
)
from .runs import RunCommands
from .sessions import FoundSession, SessionCommands, SessionInfo
from .system import SystemCommands
from .tasks import Task, TaskCommands, TaskStatus
from .tools import ToolCommands, ToolPolicy
from .tts import SpeechStatus, SpokenAudio, TtsCommands

__all__ = [
    "METHODS",
    "OPTIONAL_SCOPES",
    "PAIRING_SCOPES",
    "REQUIRED_METHODS",
    "REQUIRED_SCOPES",
    "Agent",
    "AgentCommands",
    "AgentList",
    "AgentQuestion",
    "Artifact",
    "ArtifactCommands",
    "ChatCommands",
    "DeviceCommands",
    "FoundSession",
    "Message",
    "MessageCommands",
    "Method",
    "Model",
    "ModelCommands",
    "Node",
    "NodeCommands",
    "QuestionChoice",
    "QuestionCommands",
    "QuestionItem",
    "QuestionStatus",
    "RunCommands",
    "SessionCommands",
    "SessionInfo",
    "SpeechStatus",
    "SpokenAudio",
    "SystemCommands",
    "Task",
    "TaskCommands",
    "TaskStatus",
    "ThinkingLevel",
    "ToolCommands",
    "ToolPolicy",
    "TtsCommands",
]

_AREAS: Final = (
    AgentCommands,
    ArtifactCommands,
    ChatCommands,
    DeviceCommands,
    MessageCommands,
    ModelCommands,
    NodeCommands,
    QuestionCommands,
    RunCommands,
    SessionCommands,
    SystemCommands,
    TaskCommands,
    ToolCommands,
    TtsCommands,
)
METHODS: Final = tuple(
    sorted((method for area in _AREAS for method in area.methods()), key=str)
)
REQUIRED_METHODS: Final = tuple(
    method.name for method in METHODS if not method.optional
)
# Requested only with the option to ask questions.
OPTIONAL_SCOPES: Final = (QUESTIONS_SCOPE,)
# Only the short connection that approves a node may ask for the scope of pairing.
REQUIRED_SCOPES: Final = tuple(
    sorted({method.scope for method in METHODS} - {PAIRING_SCOPE, *OPTIONAL_SCOPES})
)
# `node.pair.list`: {"requiredApproveScopes": ["operator.pairing", "operator.write"]}.
PAIRING_SCOPES: Final = (PAIRING_SCOPE, WRITE_SCOPE)
