"""What the Gateway says, as typed values."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

from .exceptions import InvalidFrameError, NotAGatewayError, UnsupportedProtocolError

if TYPE_CHECKING:
    from .frames import Json, Payload

MIN_PROTOCOL = 3
MAX_PROTOCOL = 4
# Begins the id of a Gateway that has none of its own, to tell it from others.
INSTALLATION = "installation:"
READ_SCOPE = "operator.read"
WRITE_SCOPE = "operator.write"


@dataclass(frozen=True, slots=True)
class Timing:
    """Deadlines and delays in seconds.

    Attributes:
        connect: from the first packet to the hello.
        request: from a request to its response.
        run: from the start of a run to its final response.
        run_silence: from one event of a run to the next.
        keep_run: from the end of the connection to news of a run.
        wait: that one `agent.wait` lasts when a run is brought home.
        pause: the least between two of them.
        close: for the closing handshake.
        check: from one look at whether the machine was suspended to the next.
        prove: for the Gateway to show that the connection has outlived that.
        first_delay: upper bound of the first reconnect delay.
        longest_delay: upper bound of every reconnect delay.
        most_attempts: to connect, in any minute.

    """

    connect: float = 15
    request: float = 30
    run: float = 600
    run_silence: float = 300
    keep_run: float = 120
    wait: float = 20
    pause: float = 1
    close: float = 0.5
    check: float = 10
    prove: float = 5
    first_delay: float = 0.25
    longest_delay: float = 30
    most_attempts: int = 10


@dataclass(frozen=True, slots=True)
class Challenge:
    """The Gateway's first word; `ts` in milliseconds since 1970."""

    nonce: str
    ts: int

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Read a `connect.challenge`.

        Raises:
            NotAGatewayError: it is none.

        """
        match payload:
            case {"nonce": str(nonce), "ts": int(ts)}:
                return cls(nonce, ts)
            case _:
                raise NotAGatewayError("the peer sent no challenge")


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits the Gateway sets: bytes and seconds."""

    max_payload: int = 524_288
    tick_interval: float = 30.0

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Read the policy; what is missing has the smaller of both defaults."""
        default = cls()
        tick = payload.get("tickIntervalMs")
        size = payload.get("maxPayload")
        return cls(
            size if isinstance(size, int) and size > 0 else default.max_payload,
            tick / 1000
            if isinstance(tick, int | float) and tick > 0
            else default.tick_interval,
        )


@dataclass(frozen=True, slots=True)
class DeviceToken:
    """A token that a Gateway gave to this device."""

    token: str = field(repr=False)
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hello:
    """The agreed connection.

    Attributes:
        installation: what tells a v3 Gateway from others: its host and folder, hashed.
        uptime: in seconds, where the Gateway tells it.

    """

    protocol: int
    server_version: str
    methods: frozenset[str] = field(repr=False)
    policy: Policy
    role: str
    scopes: tuple[str, ...]
    default_agent: str
    installation: str = field(repr=False)
    device_token: DeviceToken | None
    clock_skew: float
    uptime: float | None

    @classmethod
    def from_payload(cls, payload: Json, clock_skew: float = 0.0) -> Self:
        """Read a `hello-ok`; `clock_skew` is ours minus theirs, in seconds.

        Raises:
            InvalidFrameError: it is none.
            UnsupportedProtocolError: a version that this client does not speak.

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
        auth = _mapping(payload, "auth")
        scopes = tuple(_strings(auth, "scopes"))
        token = _text(auth, "deviceToken")
        snapshot = _mapping(payload, "snapshot")
        defaults = _mapping(snapshot, "sessionDefaults")
        return cls(
            protocol=protocol,
            server_version=_text(_mapping(payload, "server"), "version") or "",
            methods=frozenset(_strings(_mapping(payload, "features"), "methods")),
            policy=Policy.from_payload(_mapping(payload, "policy")),
            role=_text(auth, "role") or "",
            scopes=scopes,
            default_agent=_text(defaults, "defaultAgentId") or "main",
            installation=_installation(payload),
            device_token=DeviceToken(token, scopes) if token else None,
            clock_skew=clock_skew,
            uptime=_seconds(snapshot, "uptimeMs"),
        )

    @property
    def can_choose_model(self) -> bool:
        """Return whether a session may be given another model."""
        return self.protocol > MIN_PROTOCOL and WRITE_SCOPE in self.scopes


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended well.

    Attributes:
        text: the whole reply; segments are paragraphs.
        duration: seconds, as the Gateway measured it.

    """

    run_id: str
    text: str = field(repr=False)
    duration: float | None = None
    provider: str | None = None
    model: str | None = None


def reply_texts(payload: Payload) -> list[str]:
    """Return the texts of a run's final response, in order.

    v3 lists every segment of the reply, v4 only the last one.
    """
    payloads = _mapping(payload, "result").get("payloads")
    entries = payloads if isinstance(payloads, list) else []
    texts = [entry.get("text") for entry in entries if isinstance(entry, dict)]
    return [text for text in texts if isinstance(text, str) and text]


def run_result(run_id: str, payload: Payload, text: str) -> RunResult:
    """Read the figures of a run's final response."""
    meta = _mapping(_mapping(payload, "result"), "meta")
    agent = _mapping(meta, "agentMeta")
    return RunResult(
        run_id,
        text,
        _seconds(meta, "durationMs"),
        _text(agent, "provider"),
        _text(agent, "model"),
    )


def _installation(payload: Payload) -> str:
    host = _text(_mapping(payload, "server"), "host")
    folder = _text(_mapping(payload, "snapshot"), "stateDir")
    return f"{INSTALLATION}{sha256(f'{host}\n{folder}'.encode()).hexdigest()}"


def _mapping(payload: Payload, key: str) -> dict[str, Any]:
    value = payload.get(key)
    return value if isinstance(value, dict) else {}


def _text(payload: Payload, key: str) -> str | None:
    value = payload.get(key)
    return value if isinstance(value, str) else None


def _seconds(payload: Payload, key: str) -> float | None:
    value = payload.get(key)
    return value / 1000 if isinstance(value, int | float) else None


def _strings(payload: Payload, key: str) -> list[str]:
    value = payload.get(key)
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, str)]
