"""Meanings of codes and counters."""

from typing import TYPE_CHECKING, Final

from ..gateway import Cause, PauseReason

if TYPE_CHECKING:
    from collections.abc import Mapping

# By RFC 6455, and by what the Gateways use them for.
CLOSE_CODES: Final[Mapping[int, str]] = {
    1000: "The connection was closed in order.",
    1001: "The Gateway went away: it was stopped.",
    1002: "One side broke the protocol, or none is spoken by both.",
    1003: "One side does not take this kind of data.",
    1005: "The connection was closed without a code.",
    1006: "The connection was cut without a word: the network, a proxy, or a crash.",
    1007: "A message was not valid UTF-8.",
    1008: "The Gateway refuses this client; the reason says why.",
    1009: "A message was larger than the receiver takes.",
    1010: "An extension is missing.",
    1011: "The one who closed it had an error, or its pings were not answered.",
    1012: "The Gateway restarts.",
    1013: "The Gateway is starting: try again later.",
    1014: "A proxy got no valid answer from the Gateway.",
    1015: "The TLS handshake failed.",
    4000: "Home Assistant closed it: nothing came for two ticks, or after a sleep.",
}

# Codes of attempts and runs that are this client's own.
CODES: Final[Mapping[str, str]] = {
    "ABORTED": "The run was stopped on request.",
    "HUNG_UP": "The peer hung up before the handshake, as a Gateway that starts does.",
    "INSECURE_TRANSPORT": "A public address without TLS, which is not allowed.",
    "INVALID_HOST": "The address cannot be used.",
    "NO_FRAME": "The answer was JSON, but no frame of a Gateway.",
    "NO_REPLY": "The run ended without a reply in the history.",
    "NOT_CONNECTED": "There was no connection to ask on.",
    "NOT_JSON": "The answer was not JSON.",
    "NO_WEBSOCKET": "What answers does not speak WebSocket.",
    "PROTOCOL_MISMATCH": "No version of the protocol is spoken by both.",
    "PROXY_ATTRIBUTION_REQUIRED": "The Gateway does not trust the proxy in front.",
    "REFUSED": "The machine answers, but nothing listens at the port.",
    "REQUEST_TOO_LARGE": "The question was larger than the Gateway takes.",
    "RUN_IDLE_TIMEOUT": "The agent sent nothing for longer than the idle timeout.",
    "RUN_LOST": "The Gateway no longer knows the run: it restarted meanwhile.",
    "RUN_TIMEOUT": "The run took longer than the longest answer may.",
    "STOPPED": "The caller gave up, or the entry was unloaded.",
    "TIMEOUT": "No answer in time.",
    "TLS": "The peer does not speak TLS.",
    "TLS_CERTIFICATE": "The certificate is not trusted.",
    "TLS_CERTIFICATE_AUTHORITY_KEY": "The certificate lacks authorityKeyIdentifier.",
    "TLS_CERTIFICATE_BASIC_CONSTRAINTS": (
        "The certificate of the authority lacks a critical basicConstraints."
    ),
    "TLS_CERTIFICATE_EXPIRED": "The certificate has expired.",
    "TLS_CERTIFICATE_KEY_USAGE": "The certificate of the authority lacks keyUsage.",
    "TLS_CERTIFICATE_NAME": "The certificate is for another name.",
    "TLS_CERTIFICATE_NO_AUTHORITY": (
        "The certificate of the authority lacks CA:TRUE or keyCertSign."
    ),
    "TLS_CERTIFICATE_STRICT": "The certificate breaks RFC 5280.",
    "TLS_CERTIFICATE_SUBJECT_KEY": (
        "The certificate of the authority lacks subjectKeyIdentifier."
    ),
    "TLS_CERTIFICATE_SUBJECT_NAME": "The certificate has an empty subjectAltName.",
    "TLS_FINGERPRINT": "The certificate is not the confirmed one.",
    "UNEXPECTED": "The client had an unexpected exception, which the log describes.",
    "UNKNOWN_HOST": "The host name is unknown.",
    "UNREACHABLE": "The network does not reach the address.",
}

CAUSES: Final[Mapping[str, str]] = {
    Cause.STARTED: "The client has started.",
    Cause.OPENED: "The WebSocket is open.",
    Cause.HELLO: "The Gateway accepted the handshake.",
    Cause.FAILED: "The attempt failed, and another one may succeed.",
    Cause.REFUSED: "The attempt failed, and another one cannot succeed by itself.",
    Cause.FALLEN_BACK: "The token was refused; the device token is shown next.",
    Cause.LOST: "The connection ended.",
    Cause.LIMITED: "Connected, but somebody has to approve missing rights.",
    Cause.UNEXPECTED: "The client had an unexpected exception, and goes on.",
    Cause.RETRY: "The delay is over: another attempt.",
    Cause.RESUMED: "Another attempt was asked for, before the delay was over.",
    Cause.WOKEN: "The machine has slept: another attempt at once.",
    Cause.STOPPED: "The client has ended.",
}

PAUSES: Final[Mapping[str, str]] = {
    PauseReason.TOKEN: "Until the user enters another token.",
    PauseReason.APPROVAL: "Until this Home Assistant is approved; asked every 30 s.",
    PauseReason.SCOPES: "Until the user approves the device with more rights.",
    PauseReason.DEVICE: "The device is refused; tried every five minutes.",
    PauseReason.RATE_LIMIT: "Too many attempts; tried when the Gateway allows it.",
    PauseReason.PROTOCOL: "No common protocol; tried every five minutes.",
    PauseReason.CERTIFICATE: "The certificate is refused; tried every five minutes.",
    PauseReason.TRANSPORT: "Until TLS is used, or its lack is allowed.",
    PauseReason.PROXY: "A proxy or a sign-in page is in front; every five minutes.",
}

COUNTERS: Final[Mapping[str, str]] = {
    "frames_in": "frames received",
    "frames_out": "requests sent",
    "bytes_in": "bytes of the frames received",
    "bytes_out": "bytes of the requests sent",
    "invalid_frames": "frames that could not be decoded; their content is lost",
    "repaired_frames": "frames that strict readers refuse, as with half a character",
    "requests_issued": "requests made",
    "requests_completed": "requests that have ended, in whatever way",
    "late_responses": "responses after the timeout of their request",
    "duplicate_responses": "responses to a request that was answered before",
    "unknown_responses": "responses to requests that were never made",
    "runs_started": "questions asked",
    "runs_ended": "questions that have ended, in whatever way",
    "foreign_run_events": "events of runs of others, such as a chat in the browser",
    "skipped_run_events": "events of our own runs that could not be used",
    "sequence_gaps": "numbers of events that were missing",
    "connects": "connections made",
    "reconnects": "connections made after the first",
    "drops": "connections that ended, those of drills included",
    "drill_drops": "connections that drills have ended",
    "listener_errors": "exceptions of listeners",
    "main_loop_errors": "unexpected exceptions that the client has survived",
    "store_errors": "stores that could not be read or written",
}


def meaning(code: str) -> str | None:
    """Return the meaning of an error code."""
    if code.isdecimal():
        return CLOSE_CODES.get(int(code))
    return CODES.get(code)
