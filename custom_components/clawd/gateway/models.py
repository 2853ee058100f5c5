"""Typed values of the protocol."""

from dataclasses import dataclass, field
from hashlib import sha256
import time
from typing import Any, Final, Self

from .exceptions import InvalidFrameError, NotAGatewayError, UnsupportedProtocolError
from .payload import is_number, read_mapping, read_seconds, read_strings, read_text
from .sleep_detector import MIN_CLOCK_JUMP

MIN_PROTOCOL: Final = 3
MAX_PROTOCOL: Final = 4
# First version of OpenClaw; Clawdbot and Moltbot speak the one before.
OPENCLAW_PROTOCOL: Final = 4
# Prefix of the id that we derive for a v3 Gateway, which has none of its own.
INSTALLATION: Final = "installation:"
# Characters; it is shown, and kept by Home Assistant's device registry.
MAX_VERSION_LENGTH: Final = 64
DEFAULT_MAX_PAYLOAD: Final = 524_288
DEFAULT_TICK_INTERVAL: Final = 30.0
# Bytes of an image and of any attachment, as OpenClaw 2026.9 tells them.
DEFAULT_MAX_IMAGE: Final = 6_291_456
DEFAULT_MAX_ATTACHMENT: Final = 19_464_192
READ_SCOPE: Final = "operator.read"
WRITE_SCOPE: Final = "operator.write"
PAIRING_SCOPE: Final = "operator.pairing"
QUESTIONS_SCOPE: Final = "operator.questions"

type Json = Any
type Payload = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Timing:
    """Timeouts, intervals and delays in seconds.

    Attributes:
        connect_timeout: from the first packet to the hello.
        request_timeout: from a request to its response.
        run_timeout: from the start of a run to its final response.
        run_idle_timeout: from one event of a run to the next.
        recovery_timeout: from a lost connection to the next event of a run.
        wait_timeout: of one `agent.wait` while a run is recovered.
        poll_interval: between two `agent.wait`, at least.
        close_timeout: of the closing handshake.
        sleep_check_interval: between two checks for a system sleep.
        ping_timeout: of the ping that follows a system sleep.
        initial_delay: upper bound of the first reconnect delay.
        max_delay: upper bound of every reconnect delay.
        max_attempts: connection attempts in any minute.
        address_delay: from one address of a host to the next, while both are tried.
        resend_delay: until a run that was refused too early is sent again; doubled
            each time.
        min_tick_interval: shortest accepted interval of the Gateway's ticks.
        max_tick_interval: longest accepted interval of the Gateway's ticks.

    """

    connect_timeout: float = 15
    request_timeout: float = 30
    run_timeout: float = 600
    run_idle_timeout: float = 300
    recovery_timeout: float = 120
    wait_timeout: float = 20
    poll_interval: float = 1
    close_timeout: float = 0.5
    sleep_check_interval: float = 10
    ping_timeout: float = 5
    initial_delay: float = 0.25
    max_delay: float = 30
    max_attempts: int = 10
    address_delay: float = 0.25
    resend_delay: float = 0.5
    min_tick_interval: float = 5
    max_tick_interval: float = 300


@dataclass(frozen=True, slots=True)
class Challenge:
    """First frame of the Gateway.

    `ts` in milliseconds since 1970.
    """

    nonce: str
    ts: int

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Read a `connect.challenge`.

        Raises:
            NotAGatewayError: the payload is no challenge.

        """
        match payload:
            case {"nonce": str(nonce), "ts": int(ts)}:
                return cls(nonce, ts)
            case _:
                raise NotAGatewayError("the peer sent no challenge")


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of the Gateway: bytes, seconds.

    Attributes:
        max_image: of one image.
        max_attachment: of one attachment of any kind.
        tick_replaced: why the Gateway's interval is not used: `clamped`, or the type
            of a value that is no number; empty if it is used.

    """

    max_payload: int = DEFAULT_MAX_PAYLOAD
    tick_interval: float = DEFAULT_TICK_INTERVAL
    tick_replaced: str = field(default="", compare=False)
    max_image: int = DEFAULT_MAX_IMAGE
    max_attachment: int = DEFAULT_MAX_ATTACHMENT

    @classmethod
    def from_payload(cls, payload: Payload, timing: Timing | None = None) -> Self:
        """Read the policy, with v3's smaller defaults."""
        attachments = read_mapping(payload, "attachments")
        tick = payload.get("tickIntervalMs", DEFAULT_TICK_INTERVAL * 1000)
        limits = timing or Timing()
        # 1 would close every connection at once; 1e12 would never detect a dead one.
        given = tick / 1000 if is_number(tick) and tick > 0 else None
        interval = DEFAULT_TICK_INTERVAL if given is None else given
        interval = max(
            limits.min_tick_interval, min(interval, limits.max_tick_interval)
        )
        kind = "clamped" if is_number(tick) else type(tick).__name__
        return cls(
            _size(payload, "maxPayload", DEFAULT_MAX_PAYLOAD),
            interval,
            "" if given == interval else kind,
            _size(attachments, "maxImageBytes", DEFAULT_MAX_IMAGE),
            _size(attachments, "maxBytes", DEFAULT_MAX_ATTACHMENT),
        )


def _size(payload: Payload, key: str, default: int) -> int:
    """Return a limit in bytes, if it is one."""
    size = payload.get(key)
    return size if type(size) is int and size > 0 else default


@dataclass(frozen=True, slots=True)
class DeviceToken:
    """Token issued to this device."""

    token: str = field(repr=False)
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hello:
    """Response to `connect`.

    Attributes:
        installation: id of a v3 Gateway: its host and state folder, hashed.
        clock_skew: our clock minus the Gateway's, in seconds.
        clock_offset: the Gateway's clock minus our monotonic one, in seconds.
        uptime: of the Gateway's process in seconds; None on v3.

    """

    protocol: int
    server_version: str
    methods: frozenset[str] = field(repr=False)
    policy: Policy
    role: str
    scopes: tuple[str, ...]
    installation: str = field(repr=False)
    device_token: DeviceToken | None
    clock_skew: float
    uptime: float | None
    clock_offset: float = 0.0

    @classmethod
    def from_payload(
        cls, payload: Json, clock_skew: float = 0.0, timing: Timing | None = None
    ) -> Self:
        """Read a `hello-ok`.

        Raises:
            InvalidFrameError: the payload is no hello.
            UnsupportedProtocolError: a version that was not offered.

        """
        match payload:
            case {"type": "hello-ok", "protocol": int(protocol)}:
                pass
            case _:
                raise InvalidFrameError("the response to connect is no hello")
        if not MIN_PROTOCOL <= protocol <= MAX_PROTOCOL:
            raise UnsupportedProtocolError(
                "the Gateway chose a protocol that was not offered", expected=protocol
            )
        auth = read_mapping(payload, "auth")
        scopes = tuple(read_strings(auth, "scopes"))
        token = read_text(auth, "deviceToken")
        snapshot = read_mapping(payload, "snapshot")
        version = read_text(read_mapping(payload, "server"), "version") or ""
        return cls(
            protocol=protocol,
            server_version=version[:MAX_VERSION_LENGTH],
            methods=frozenset(
                read_strings(read_mapping(payload, "features"), "methods")
            ),
            policy=Policy.from_payload(read_mapping(payload, "policy"), timing),
            role=read_text(auth, "role") or "",
            scopes=scopes,
            installation=_installation(payload),
            device_token=DeviceToken(token, scopes) if token else None,
            clock_skew=clock_skew,
            uptime=read_seconds(snapshot, "uptimeMs"),
            clock_offset=time.time() - clock_skew - time.monotonic(),
        )

    @property
    def has_own_id(self) -> bool:
        """Return whether the Gateway has an id of its own."""
        return self._is_openclaw

    @property
    def numbers_events(self) -> bool:
        """Return whether events are numbered for each connection."""
        # Clawdbot counts them for all its clients together: gaps mean nothing.
        return self._is_openclaw

    @property
    def gateway_time(self) -> float:
        """Return the Gateway's time, in seconds since 1970.

        Our clock may have been set since the hello.
        """
        return time.monotonic() + self.clock_offset

    @property
    def present_skew(self) -> float:
        """Return our present clock minus the Gateway's, in seconds."""
        skew = time.time() - self.gateway_time
        jumped = abs(skew - self.clock_skew) > MIN_CLOCK_JUMP
        return skew if jumped else self.clock_skew

    @property
    def names_runs(self) -> bool:
        """Return whether the Gateway's run ids are descriptive."""
        return self._is_openclaw

    @property
    def answers_in_parts(self) -> bool:
        """Return whether a final response may lack parts of the reply."""
        return self._is_openclaw

    @property
    def can_abort_runs(self) -> bool:
        """Return whether a run of an agent can be aborted by its id.

        Clawdbot only takes the message `/stop`, for all runs of a session.
        """
        return self._is_openclaw

    @property
    def can_run_model_alone(self) -> bool:
        """Return whether a run can ask the model without its agent."""
        return self._is_openclaw

    @property
    def can_run_lightweight(self) -> bool:
        """Return whether a run can leave out the agent's persona."""
        return self._is_openclaw

    @property
    def can_deliver_best_effort(self) -> bool:
        """Return whether a run survives the failed delivery of its answer."""
        return self._is_openclaw

    @property
    def can_name_agent(self) -> bool:
        """Return whether `send` and `wake` accept an agent.

        A Gateway with several agents and no default one requires it.
        """
        return self._is_openclaw

    @property
    def can_wake_sessions(self) -> bool:
        """Return whether `wake` accepts a session."""
        return self._is_openclaw

    @property
    def has_session_settings(self) -> bool:
        """Return whether a session has a model and a permission mode."""
        return self._is_openclaw

    @property
    def can_choose_model(self) -> bool:
        """Return whether sessions accept another model."""
        return self.has_session_settings and WRITE_SCOPE in self.scopes

    @property
    def can_delete_sessions(self) -> bool:
        """Return whether sessions can be deleted.

        Clawdbot lets only an administrator do so.
        """
        return self._is_openclaw

    @property
    def can_invoke_tools(self) -> bool:
        """Return whether a tool can be called without its agent."""
        return self._is_openclaw

    @property
    def describes_models(self) -> bool:
        """Return whether the list of models has their inputs."""
        return self._is_openclaw

    @property
    def accepts_files(self) -> bool:
        """Return whether attachments other than images are accepted."""
        return self._is_openclaw

    @property
    def can_send_files(self) -> bool:
        """Return whether `send` accepts the content of a file."""
        return self._is_openclaw

    @property
    def serves_media(self) -> bool:
        """Return whether media of a reply can be fetched."""
        return self._is_openclaw

    @property
    def _is_openclaw(self) -> bool:
        return self.protocol >= OPENCLAW_PROTOCOL


def _installation(payload: Payload) -> str:
    host = read_text(read_mapping(payload, "server"), "host")
    folder = read_text(read_mapping(payload, "snapshot"), "stateDir")
    return f"{INSTALLATION}{sha256(f'{host}\n{folder}'.encode()).hexdigest()}"
