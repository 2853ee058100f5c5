"""Typed values of the protocol."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Self, TypeIs

from .exceptions import InvalidFrameError, NotAGatewayError, UnsupportedProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MIN_PROTOCOL: Final = 3
MAX_PROTOCOL: Final = 4
# Prefix of the id that we derive for a v3 Gateway, which has none of its own.
INSTALLATION: Final = "installation:"
# Prefix of the run that tells of a sub-agent's end:
# announce:v1:<session of the sub-agent>:<its run>
COMPLETION_PREFIX: Final = "announce:v1:"
# Characters; it is shown, and kept by Home Assistant's device registry.
MAX_VERSION_LENGTH: Final = 64
DEFAULT_MAX_PAYLOAD: Final = 524_288
DEFAULT_TICK_INTERVAL: Final = 30.0
# Pictures and files of one reply, and characters of each reference; a path has 4096.
MAX_MEDIA: Final = 20
MAX_MEDIA_REFERENCE: Final = 4096
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
    """First frame of the Gateway; `ts` in milliseconds since 1970."""

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
        tick_replaced: why the Gateway's interval is not used: `clamped`, or the type
            of what it gave instead of a number; empty if it is used.

    """

    max_payload: int = DEFAULT_MAX_PAYLOAD
    tick_interval: float = DEFAULT_TICK_INTERVAL
    tick_replaced: str = field(default="", compare=False)

    @classmethod
    def from_payload(cls, payload: Payload, timing: Timing | None = None) -> Self:
        """Read the policy, with v3's smaller defaults."""
        size = payload.get("maxPayload")
        tick = payload.get("tickIntervalMs", DEFAULT_TICK_INTERVAL * 1000)
        limits = timing or Timing()
        # 1 would end every connection at once, 1e12 none that is dead.
        given = tick / 1000 if _is_number(tick) and tick > 0 else None
        interval = DEFAULT_TICK_INTERVAL if given is None else given
        interval = max(
            limits.min_tick_interval, min(interval, limits.max_tick_interval)
        )
        kind = "clamped" if _is_number(tick) else type(tick).__name__
        return cls(
            size if type(size) is int and size > 0 else DEFAULT_MAX_PAYLOAD,
            interval,
            "" if given == interval else kind,
        )


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
        uptime: of the Gateway's process in seconds; None on v3.

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
        auth = _mapping(payload, "auth")
        scopes = tuple(_strings(auth, "scopes"))
        token = _text(auth, "deviceToken")
        snapshot = _mapping(payload, "snapshot")
        defaults = _mapping(snapshot, "sessionDefaults")
        version = _text(_mapping(payload, "server"), "version") or ""
        return cls(
            protocol=protocol,
            server_version=version[:MAX_VERSION_LENGTH],
            methods=frozenset(_strings(_mapping(payload, "features"), "methods")),
            policy=Policy.from_payload(_mapping(payload, "policy"), timing),
            role=_text(auth, "role") or "",
            scopes=scopes,
            default_agent=_text(defaults, "defaultAgentId") or "main",
            installation=_installation(payload),
            device_token=DeviceToken(token, scopes) if token else None,
            clock_skew=clock_skew,
            uptime=_seconds(snapshot, "uptimeMs"),
        )

    @property
    def names_runs(self) -> bool:
        """Return whether the ids of the Gateway's own runs tell what they are."""
        return self.protocol > MIN_PROTOCOL

    @property
    def can_choose_model(self) -> bool:
        """Return whether sessions accept another model."""
        return self.protocol > MIN_PROTOCOL and WRITE_SCOPE in self.scopes


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a run, and their cost in US dollars; None if not told."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    total: int | None = None
    cost: float | None = None

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Read the usage in the `agentMeta` of a final response, or in a message."""
        # {"input": 75, "output": 1, "cacheRead": 0, "cacheWrite": 0, "total": 76,
        # "cost": {"total": 7.7e-05}}; v3 tells no cost. A message in a history has
        # `totalTokens` instead.
        usage = _mapping(payload, "usage")
        cost = _mapping(usage, "cost").get("total")
        return cls(
            _count(usage, "input"),
            _count(usage, "output"),
            _count(usage, "cacheRead"),
            _count(usage, "cacheWrite"),
            _count(usage, "total" if "total" in usage else "totalTokens"),
            cost if _is_number(cost) else None,
        )

    @classmethod
    def sum(cls, usages: Sequence[Self]) -> Self:
        """Return the sum of what is told."""
        return cls(
            _sum(usage.input for usage in usages),
            _sum(usage.output for usage in usages),
            _sum(usage.cache_read for usage in usages),
            _sum(usage.cache_write for usage in usages),
            _sum(usage.total for usage in usages),
            _sum(usage.cost for usage in usages),
        )


@dataclass(frozen=True, slots=True)
class RunResult:
    """Result of a run.

    Attributes:
        text: the whole reply; segments are paragraphs.
        duration: in seconds, measured by the Gateway.
        delivery: what became of its delivery to a channel: `sent` or `failed`; None if
            nothing is known.
        completions: ids of the runs to come that tell of sub-agents' ends (v4).
        media: references of its pictures and files: URLs, or paths at the Gateway.

    """

    run_id: str
    text: str = field(repr=False)
    duration: float | None = None
    provider: str | None = None
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    delivery: str | None = None
    completions: tuple[str, ...] = ()
    media: tuple[str, ...] = field(default=(), repr=False)


def final_texts(payload: Payload) -> list[str]:
    """Return the reply texts of a final response, in order.

    v3 lists every segment of the reply, v4 only the last one.
    """
    payloads = _mapping(payload, "result").get("payloads")
    entries = payloads if isinstance(payloads, list) else []
    texts = [entry.get("text") for entry in entries if isinstance(entry, dict)]
    return [text for text in texts if isinstance(text, str) and text]


def media_references(payload: Payload) -> list[str]:
    """Return the references to pictures and files in an event or final payload."""
    # {"mediaUrl": null, "mediaUrls": ["/home/claw/ws/pic.png", "./note.txt"]}
    one = _text(payload, "mediaUrl")
    every = _strings(payload, "mediaUrls") or ([one] if one else [])
    return [
        reference.strip()
        for reference in every[:MAX_MEDIA]
        if 0 < len(reference.strip()) <= MAX_MEDIA_REFERENCE
    ]


def final_media(payload: Payload) -> list[str]:
    """Return the references to pictures and files in a final response."""
    payloads = _mapping(payload, "result").get("payloads")
    entries = payloads if isinstance(payloads, list) else []
    found = [media_references(entry) for entry in entries if isinstance(entry, dict)]
    return [reference for references in found for reference in references]


def read_chat_end(payload: Payload) -> Payload:
    """Return the last `chat` event of a run as a final response."""
    # {"state": "final", "message": {"content": [{"type": "text", "text": "…"}]}}
    content = _mapping(payload, "message").get("content")
    entries = content if isinstance(content, list) else []
    texts = [entry for entry in entries if isinstance(entry, dict)]
    return {"status": "ok", "result": {"payloads": texts}}


def output_tokens(payload: Payload) -> int | None:
    """Return the tokens that the model wrote; None if the Gateway does not say."""
    meta = _mapping(_mapping(payload, "result"), "meta")
    usage = _mapping(_mapping(meta, "agentMeta"), "usage")
    tokens = usage.get("output", usage.get("total"))
    return tokens if isinstance(tokens, int) else None


def run_result(
    run_id: str, payload: Payload, text: str, media: Iterable[str] = ()
) -> RunResult:
    """Read duration, model and media of a final response.

    `media` are those that the events told.
    """
    every = dict.fromkeys((*media, *final_media(payload)))
    meta = _mapping(_mapping(payload, "result"), "meta")
    agent = _mapping(meta, "agentMeta")
    return RunResult(
        run_id,
        text,
        _seconds(meta, "durationMs"),
        _text(agent, "provider"),
        _text(agent, "model"),
        Usage.from_payload(agent),
        _text(_mapping(_mapping(payload, "result"), "deliveryStatus"), "status"),
        tuple(_completions(_mapping(payload, "result"))),
        tuple(every)[:MAX_MEDIA],
    )


def _completions(result: Payload) -> Iterator[str]:
    """Yield the ids of the runs that will tell of the ends of sub-agents."""
    # {"acceptedSessionSpawns": [{"runId": "0a0c…", "childSessionKey":
    # "agent:main:subagent:dcd8…", "expectsCompletionMessage": true}]}
    spawns = result.get("acceptedSessionSpawns")
    for spawn in spawns if isinstance(spawns, list) else []:
        match spawn:
            case {
                "runId": str(run_id),
                "childSessionKey": str(key),
                "expectsCompletionMessage": True,
            }:
                yield f"{COMPLETION_PREFIX}{key}:{run_id}"


def _installation(payload: Payload) -> str:
    host = _text(_mapping(payload, "server"), "host")
    folder = _text(_mapping(payload, "snapshot"), "stateDir")
    return f"{INSTALLATION}{sha256(f'{host}\n{folder}'.encode()).hexdigest()}"


def _is_number(value: Json) -> TypeIs[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sum[T: (int, float)](values: Iterable[T | None]) -> T | None:
    told = [value for value in values if value is not None]
    return sum(told[1:], told[0]) if told else None


def _count(payload: Payload, key: str) -> int | None:
    value = payload.get(key)
    return value if type(value) is int else None


def _mapping(payload: Payload, key: str) -> dict[str, Any]:
    value = payload.get(key)
    return value if isinstance(value, dict) else {}


def _text(payload: Payload, key: str) -> str | None:
    value = payload.get(key)
    return value if isinstance(value, str) else None


def _seconds(payload: Payload, key: str) -> float | None:
    value = payload.get(key)
    return value / 1000 if _is_number(value) else None


def _strings(payload: Payload, key: str) -> list[str]:
    value = payload.get(key)
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, str)]
