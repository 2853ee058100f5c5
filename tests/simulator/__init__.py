"""Scripted Gateway for tests, the demo and benchmarks."""

from .agent_list import Agent
from .connection import ClientConnection
from .refusals import Refusal
from .request_log import Request
from .script import (
    Ack,
    Drop,
    Emit,
    End,
    Fail,
    Pause,
    Refuse,
    Replace,
    Reply,
    Retry,
    Step,
    TimeOut,
    Tool,
)
from .server import GatewaySimulator

__all__ = [
    "Ack",
    "Agent",
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
    "Request",
    "Retry",
    "Step",
    "TimeOut",
    "Tool",
]
