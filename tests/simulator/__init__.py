"""Scripted Gateway for tests, the demo and benchmarks."""

from .agent_list import Agent
from .connection import ClientConnection
from .refusals import Refusal
from .request_log import Request
from .script import (
    Ack,
    CallTool,
    Drop,
    Emit,
    End,
    Fail,
    Pause,
    Refuse,
    Replace,
    Reply,
    ReplyResult,
    Retry,
    Step,
    TimeOut,
    Tool,
)
from .server import GatewaySimulator

__all__ = [
    "Ack",
    "Agent",
    "CallTool",
    "ClientConnection",
    "Drop",
    "Emit",
    "End",
    "Fail",
    "GatewaySimulator",
    "Pause",
    "Refusal",
    "Refuse",
    "Replace",
    "Reply",
    "ReplyResult",
    "Request",
    "Retry",
    "Step",
    "TimeOut",
    "Tool",
]
