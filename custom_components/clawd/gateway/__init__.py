"""Client for the OpenClaw Gateway, protocols 3 and 4, without Home Assistant.

    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("1.0"), token)
    client = GatewayClient(Endpoint(host, port), credentials)
    task = asyncio.create_task(client.run())
    await client.wait_connected()
    run = await client.start_run(RunRequest("Hello", "agent:main:demo"))
    async for text in run:
        print(text, end="")
    result = await run.result()

Every error is a `GatewayError`; see `exceptions` for the tree.
"""

from .backoff import PauseReason, minimum_delay, pause_reason
from .client import GatewayClient
from .commands import (
    METHODS,
    REQUIRED_METHODS,
    REQUIRED_SCOPES,
    Agent,
    AgentList,
    AgentTool,
    Artifact,
    EffectiveTools,
    Message,
    Model,
    Node,
    PairingRequest,
    SessionInfo,
    SystemCommands,
    Task,
    TaskStatus,
    ThinkingLevel,
    ToolCommands,
    ToolOutput,
    ToolPolicy,
)
from .commands.messages import QUEUED
from .commands.tasks import TASK_EVENT
from .connect_profile import NODE_PROFILE, OPERATOR_PROFILE, PAIRING_PROFILE
from .credentials import MIN_SECRET_LENGTH, ClientInfo, Credentials
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
    ProxyRefusedError,
    RateLimitedError,
    RequestFailedError,
    RequestTimeoutError,
    RequestTooLargeError,
    RunTimeoutError,
    SignInRequiredError,
    UnexpectedError,
    UnsupportedProtocolError,
)
from .headers import MAX_HEADERS, header_secrets, is_header, is_reserved, valid_headers
from .history import ClientHistory, CredentialRefusal, HelloChange
from .identity import DeviceIdentity
from .introspection import Introspection
from .models import (
    INSTALLATION,
    MAX_PROTOCOL,
    MIN_PROTOCOL,
    DeviceToken,
    Hello,
    Json,
    Payload,
    RunResult,
    Timing,
    Usage,
)
from .node import (
    PLUGIN_ID,
    CallHandler,
    LinkProblem,
    NodeCall,
    NodeCallError,
    NodeHost,
    NodeLink,
    NodeLinkError,
    NodeStatistics,
    NodeTool,
    OpenCall,
    approve_node,
    read_node_link,
    takes_tools,
)
from .probe import GatewayInfo, probe_endpoint
from .protocol.frames import Event
from .protocol.handshake import ConnectProfile
from .protocol.transport import AddressInfo, Peer
from .runs.request import Attachment, Delivery, RunRequest
from .runs.run import AgentRun, RunInfo
from .runs.stream import Part
from .runs.tools import ToolCall, ToolResult
from .setup_link import SetupLink, is_setup_link, read_setup_link
from .sleep_detector import SleepDetector
from .state import Cause, ConnectionState, Transition
from .statistics import Outcome, RunOutcome, Statistics, StoreErrors
from .tracebacks import error_name

__all__ = [
    "INSTALLATION",
    "MAX_HEADERS",
    "MAX_PROTOCOL",
    "METHODS",
    "MIN_PROTOCOL",
    "MIN_SECRET_LENGTH",
    "NODE_PROFILE",
    "OPERATOR_PROFILE",
    "PAIRING_PROFILE",
    "PLUGIN_ID",
    "QUEUED",
    "REQUIRED_METHODS",
    "REQUIRED_SCOPES",
    "TASK_EVENT",
    "AddressClass",
    "AddressInfo",
    "Agent",
    "AgentList",
    "AgentRun",
    "AgentRunAborted",
    "AgentRunError",
    "AgentTool",
    "Artifact",
    "Attachment",
    "CallHandler",
    "CannotConnectError",
    "Cause",
    "CertificateError",
    "ClientHistory",
    "ClientInfo",
    "ConnectProfile",
    "ConnectionLostError",
    "ConnectionState",
    "CredentialRefusal",
    "Credentials",
    "Delivery",
    "DeviceIdentity",
    "DeviceToken",
    "EffectiveTools",
    "Endpoint",
    "Event",
    "GatewayAuthenticationError",
    "GatewayClient",
    "GatewayConnectionError",
    "GatewayError",
    "GatewayInfo",
    "GatewayProtocolError",
    "Hello",
    "HelloChange",
    "InsecureTransportError",
    "Introspection",
    "InvalidFrameError",
    "InvalidTokenError",
    "Json",
    "LinkProblem",
    "Message",
    "MissingScopeError",
    "Model",
    "Node",
    "NodeCall",
    "NodeCallError",
    "NodeHost",
    "NodeLink",
    "NodeLinkError",
    "NodeStatistics",
    "NodeTool",
    "NotAGatewayError",
    "NotConnectedError",
    "OpenCall",
    "Outcome",
    "PairingRequest",
    "PairingRequiredError",
    "Part",
    "PauseReason",
    "Payload",
    "Peer",
    "ProxyRefusedError",
    "RateLimitedError",
    "RequestFailedError",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "RunInfo",
    "RunOutcome",
    "RunRequest",
    "RunResult",
    "RunTimeoutError",
    "SessionInfo",
    "SetupLink",
    "SignInRequiredError",
    "SleepDetector",
    "Statistics",
    "StoreErrors",
    "SystemCommands",
    "Task",
    "TaskStatus",
    "ThinkingLevel",
    "Timing",
    "ToolCall",
    "ToolCommands",
    "ToolOutput",
    "ToolPolicy",
    "ToolResult",
    "Transition",
    "UnexpectedError",
    "UnsupportedProtocolError",
    "Usage",
    "address_class",
    "approve_node",
    "error_name",
    "header_secrets",
    "is_header",
    "is_reserved",
    "is_setup_link",
    "minimum_delay",
    "netloc",
    "pause_reason",
    "probe_endpoint",
    "read_fingerprint",
    "read_node_link",
    "read_setup_link",
    "takes_tools",
    "valid_headers",
]
