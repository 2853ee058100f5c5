"""A client for the OpenClaw Gateway, protocols 3 and 4, without Home Assistant.

    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("1.0"), token)
    client = GatewayClient(Endpoint(host, port), credentials)
    task = asyncio.create_task(client.run())
    await client.wait_connected()
    run = await client.start_run("Hello", session_key="agent:main:demo")
    async for text in run:
        print(text, end="")
    result = await run.result()

Everything that goes wrong is a `GatewayError`; see `exceptions` for the tree.
"""

from .agent_run import AgentRun, Part, RunInfo
from .backoff import Pause, least_delay, pause_of
from .catalogue import Agent, AgentCatalogue, Model, ThinkingLevel
from .client import GatewayClient
from .credentials import Credentials
from .endpoint import AddressClass, Endpoint, address_class, netloc, read_fingerprint
from .exceptions import (
    AgentRunAborted,
    AgentRunError,
    CannotConnectError,
    CertificateError,
    ConnectionLostError,
    GatewayAuthenticationError,
    GatewayConnectionError,
    GatewayError,
    GatewayProtocolError,
    InsecureTransportError,
    InvalidFrameError,
    InvalidTokenError,
    MissingScopeError,
    NotAGatewayError,
    NotConnectedError,
    PairingRequiredError,
    RateLimitedError,
    RequestFailedError,
    RequestTimeoutError,
    RequestTooLargeError,
    UnsupportedProtocolError,
)
from .frames import Event, Json, Payload
from .handshake import SCOPES, ClientInfo
from .identity import DeviceIdentity
from .models import (
    INSTALLATION,
    MAX_PROTOCOL,
    MIN_PROTOCOL,
    DeviceToken,
    Hello,
    RunResult,
    Timing,
)
from .setup_link import SetupLink, is_setup_link, read_setup_link
from .state import Cause, ConnectionState, Transition
from .statistics import Outcome, Statistics
from .survey import Survey, look
from .suspension import SuspensionWatch
from .tool_steps import ToolCall, ToolResult
from .upgrade import Peer

__all__ = [
    "INSTALLATION",
    "MAX_PROTOCOL",
    "MIN_PROTOCOL",
    "SCOPES",
    "AddressClass",
    "Agent",
    "AgentCatalogue",
    "AgentRun",
    "AgentRunAborted",
    "AgentRunError",
    "CannotConnectError",
    "Cause",
    "CertificateError",
    "ClientInfo",
    "ConnectionLostError",
    "ConnectionState",
    "Credentials",
    "DeviceIdentity",
    "DeviceToken",
    "Endpoint",
    "Event",
    "GatewayAuthenticationError",
    "GatewayClient",
    "GatewayConnectionError",
    "GatewayError",
    "GatewayProtocolError",
    "Hello",
    "InsecureTransportError",
    "InvalidFrameError",
    "InvalidTokenError",
    "Json",
    "MissingScopeError",
    "Model",
    "NotAGatewayError",
    "NotConnectedError",
    "Outcome",
    "PairingRequiredError",
    "Part",
    "Pause",
    "Payload",
    "Peer",
    "RateLimitedError",
    "RequestFailedError",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "RunInfo",
    "RunResult",
    "SetupLink",
    "Statistics",
    "Survey",
    "SuspensionWatch",
    "ThinkingLevel",
    "Timing",
    "ToolCall",
    "ToolResult",
    "Transition",
    "UnsupportedProtocolError",
    "address_class",
    "is_setup_link",
    "least_delay",
    "look",
    "netloc",
    "pause_of",
    "read_fingerprint",
    "read_setup_link",
]
