"""Client for the OpenClaw Gateway, protocols 3 and 4.

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
    OPTIONAL_SCOPES,
    REQUIRED_METHODS,
    REQUIRED_SCOPES,
    Agent,
    AgentList,
    AgentQuestion,
    Artifact,
    FoundSession,
    Message,
    Model,
    Node,
    QuestionChoice,
    QuestionItem,
    QuestionStatus,
    SessionInfo,
    SpeechStatus,
    SpokenAudio,
    Task,
    TaskStatus,
    ThinkingLevel,
    ToolPolicy,
    TtsCommands,
)
from .commands.messages import QUEUED
from .commands.questions import REQUESTED, RESOLVED
from .commands.tasks import TASK_EVENT
from .connect_profile import (
    ANSWERING_PROFILE,
    CALL_TOOL,
    NODE_PROFILE,
    NOTIFY,
    OPERATOR_PROFILE,
)
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
    MediaError,
    MediaProblem,
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
from .media import Media
from .models import (
    INSTALLATION,
    MAX_PROTOCOL,
    MIN_PROTOCOL,
    DeviceToken,
    Hello,
    Json,
    Payload,
    Timing,
)
from .node import (
    PLUGIN_ID,
    LinkProblem,
    NodeCall,
    NodeCallError,
    NodeHost,
    NodeLinkError,
    NodeStatistics,
    NodeTool,
    approve_node,
    read_node_link,
    takes_tools,
)
from .probe import GatewayInfo, probe_endpoint
from .protocol.frames import Event
from .protocol.handshake import ConnectProfile
from .protocol.transport import AddressInfo, Peer
from .run_result import COMPLETION_PREFIX, ModelUsage, RunResult, Usage
from .runs.failure import provider_message
from .runs.foreign import MAX_FOREIGN_RUNS, ForeignRun
from .runs.request import Attachment, Delivery, RunRequest
from .runs.run import AgentRun, RunInfo
from .runs.stream import Part, SegmentEnd
from .runs.tools import ToolCall, ToolResult
from .scope_upgrade import ScopeRequest, ScopeStatus
from .setup_link import is_setup_link, read_setup_link
from .sleep_detector import SleepDetector
from .state import Cause, ConnectionState, Transition
from .statistics import Outcome, RunOutcome, Statistics
from .tracebacks import Failure, error_name

__all__ = [
    "ANSWERING_PROFILE",
    "CALL_TOOL",
    "COMPLETION_PREFIX",
    "INSTALLATION",
    "MAX_FOREIGN_RUNS",
    "MAX_HEADERS",
    "MAX_PROTOCOL",
    "MIN_PROTOCOL",
    "MIN_SECRET_LENGTH",
    "NODE_PROFILE",
    "NOTIFY",
    "OPERATOR_PROFILE",
    "OPTIONAL_SCOPES",
    "PLUGIN_ID",
    "QUEUED",
    "REQUESTED",
    "REQUIRED_METHODS",
    "REQUIRED_SCOPES",
    "RESOLVED",
    "TASK_EVENT",
    "AddressClass",
    "AddressInfo",
    "Agent",
    "AgentList",
    "AgentQuestion",
    "AgentRun",
    "AgentRunAborted",
    "AgentRunError",
    "Artifact",
    "Attachment",
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
    "Endpoint",
    "Event",
    "Failure",
    "ForeignRun",
    "FoundSession",
    "GatewayAuthenticationError",
    "GatewayClient",
    "GatewayConnectionError",
    "GatewayError",
    "GatewayInfo",
    "GatewayProtocolError",
    "Hello",
    "HelloChange",
    "InsecureTransportError",
    "InvalidFrameError",
    "InvalidTokenError",
    "Json",
    "LinkProblem",
    "Media",
    "MediaError",
    "MediaProblem",
    "Message",
    "MissingScopeError",
    "Model",
    "ModelUsage",
    "Node",
    "NodeCall",
    "NodeCallError",
    "NodeHost",
    "NodeLinkError",
    "NodeStatistics",
    "NodeTool",
    "NotAGatewayError",
    "NotConnectedError",
    "Outcome",
    "PairingRequiredError",
    "Part",
    "PauseReason",
    "Payload",
    "Peer",
    "ProxyRefusedError",
    "QuestionChoice",
    "QuestionItem",
    "QuestionStatus",
    "RateLimitedError",
    "RequestFailedError",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "RunInfo",
    "RunOutcome",
    "RunRequest",
    "RunResult",
    "RunTimeoutError",
    "ScopeRequest",
    "ScopeStatus",
    "SegmentEnd",
    "SessionInfo",
    "SignInRequiredError",
    "SleepDetector",
    "SpeechStatus",
    "SpokenAudio",
    "Statistics",
    "Task",
    "TaskStatus",
    "ThinkingLevel",
    "Timing",
    "ToolCall",
    "ToolPolicy",
    "ToolResult",
    "Transition",
    "TtsCommands",
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
    "provider_message",
    "read_fingerprint",
    "read_node_link",
    "read_setup_link",
    "takes_tools",
    "valid_headers",
]
