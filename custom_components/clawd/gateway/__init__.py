"""A client for the OpenClaw Gateway, protocols 3 and 4, without Home Assistant.

    client = GatewayClient(Endpoint(host, port), DeviceIdentity.generate(),
                           ClientInfo("1.0"), token=token)
    task = asyncio.create_task(client.run())
    await client.wait_connected()
    run = await client.start_run("Hello", session_key="agent:main:demo")
    async for text in run:
        print(text, end="")
    result = await run.result()

Everything that goes wrong is a `GatewayError`; see `exceptions` for the tree.
"""

from .agent_run import AgentRun, RunInfo
from .client import GatewayClient
from .exceptions import (
    AgentRunAborted,
    AgentRunError,
    CannotConnectError,
    ConnectionLostError,
    GatewayAuthenticationError,
    GatewayConnectionError,
    GatewayError,
    GatewayProtocolError,
    InvalidFrameError,
    InvalidTokenError,
    MissingScopeError,
    NotAGatewayError,
    NotConnectedError,
    PairingRequiredError,
    RateLimitedError,
    RequestFailedError,
    RequestTimeoutError,
    UnsupportedProtocolError,
)
from .frames import Event, Json, Payload
from .handshake import SCOPES, ClientInfo
from .identity import DeviceIdentity
from .models import MAX_PROTOCOL, MIN_PROTOCOL, Endpoint, Hello, RunResult, Timing
from .state import ConnectionState, Transition
from .statistics import Outcome, Statistics

__all__ = [
    "MAX_PROTOCOL",
    "MIN_PROTOCOL",
    "SCOPES",
    "AgentRun",
    "AgentRunAborted",
    "AgentRunError",
    "CannotConnectError",
    "ClientInfo",
    "ConnectionLostError",
    "ConnectionState",
    "DeviceIdentity",
    "Endpoint",
    "Event",
    "GatewayAuthenticationError",
    "GatewayClient",
    "GatewayConnectionError",
    "GatewayError",
    "GatewayProtocolError",
    "Hello",
    "InvalidFrameError",
    "InvalidTokenError",
    "Json",
    "MissingScopeError",
    "NotAGatewayError",
    "NotConnectedError",
    "Outcome",
    "PairingRequiredError",
    "Payload",
    "RateLimitedError",
    "RequestFailedError",
    "RequestTimeoutError",
    "RunInfo",
    "RunResult",
    "Statistics",
    "Timing",
    "Transition",
    "UnsupportedProtocolError",
]
