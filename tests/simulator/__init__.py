"""Scripted Gateway for tests, the demo and benchmarks."""

from .agent_list import Agent
from .connection import ClientConnection
from .refusals import Refusal
from .request_log import Request
from .script import (
    Ack,
    AskUser,
    CallTool,
    Drop,
    Emit,
    End,
    Fail,
    Media,
    Pause,
    Refuse,
    Replace,
    Reply,
    ReplyResult,
    Retry,
    Spawn,
    Step,
    TimeOut,
    Tool,
)
from .server import GatewaySimulator
from .speech import Speech

__all__ = [
    "Ack",
    "Agent",
    "AskUser",
    "CallTool",
    "ClientConnection",
    "Drop",
    "Emit",
    "End",
    "Fail",
    "GatewaySimulator",
    "Media",
    "Pause",
    "Refusal",
    "Refuse",
    "Replace",
    "Reply",
    "ReplyResult",
    "Request",
    "Retry",
    "Spawn",
    "Speech",
    "Step",
    "TimeOut",
    "Tool",
]
