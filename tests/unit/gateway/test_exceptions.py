"""Exceptions and their wire codes."""

from copy import copy
from typing import Any

import orjson
import pytest

from custom_components.clawd.gateway import (
    AgentRunError,
    CannotConnectError,
    ConnectionLostError,
    GatewayAuthenticationError,
    GatewayConnectionError,
    GatewayError,
    GatewayProtocolError,
    InvalidTokenError,
    MissingScopeError,
    NotConnectedError,
    PairingRequiredError,
    RateLimitedError,
    RequestFailedError,
    RequestTimeoutError,
    UnsupportedProtocolError,
)
from custom_components.clawd.gateway.protocol.error_codes import error_from_response
from custom_components.clawd.gateway.protocol.frames import Response, decode_frame
from tests.simulator.recordings import recording


def error_of(error: dict[str, Any], method: str = "connect") -> GatewayError:
    frame = {"type": "res", "id": "1", "ok": False, "error": error}
    response = decode_frame(orjson.dumps(frame))
    assert isinstance(response, Response)
    assert response.error is not None
    return error_from_response(response.error, method)


def recorded_error(protocol: int, name: str) -> GatewayError:
    frames = [line["frame"] for line in recording(protocol, name) if "frame" in line]
    return next(error_of(f["error"]) for f in frames if f.get("ok") is False)


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("token_mismatch", InvalidTokenError, "AUTH_TOKEN_MISMATCH"),
        ("token_missing", InvalidTokenError, "AUTH_TOKEN_MISSING"),
        (
            "device_signature_invalid",
            GatewayAuthenticationError,
            "DEVICE_AUTH_SIGNATURE_INVALID",
        ),
        ("protocol_mismatch", UnsupportedProtocolError, "PROTOCOL_MISMATCH"),
        ("pairing_required", PairingRequiredError, None),
    ],
)
def test_refusals_of_both_protocols_map_to_same_error(
    protocol: int, name: str, kind: type[GatewayError], code: str | None
) -> None:
    error = recorded_error(protocol, name)
    assert type(error) is kind
    assert code in (error.code, None)


@pytest.mark.parametrize("protocol", [3, 4])
def test_expected_protocol_is_kept(protocol: int) -> None:
    error = recorded_error(protocol, "protocol_mismatch")
    assert isinstance(error, UnsupportedProtocolError)
    assert error.expected == protocol


@pytest.mark.parametrize(
    ("protocol", "code"), [(3, "NOT_PAIRED"), (4, "PAIRING_REQUIRED")]
)
def test_pairing_request_id_is_kept(protocol: int, code: str) -> None:
    error = recorded_error(protocol, "pairing_required")
    assert isinstance(error, PairingRequiredError)
    assert error.code == code
    assert error.request_id
    assert len(error.request_id) == 36


@pytest.mark.parametrize(
    ("message", "kind", "code"),
    [
        (
            "unauthorized: gateway token missing (x)",
            InvalidTokenError,
            "AUTH_TOKEN_MISSING",
        ),
        (
            "unauthorized: gateway token mismatch (x)",
            InvalidTokenError,
            "AUTH_TOKEN_MISMATCH",
        ),
        (
            "unauthorized: gateway password missing (x)",
            InvalidTokenError,
            "AUTH_PASSWORD_MISSING",
        ),
        ("unauthorized", InvalidTokenError, "AUTH_TOKEN_MISMATCH"),
        (
            "device signature expired",
            GatewayAuthenticationError,
            "DEVICE_AUTH_SIGNATURE_EXPIRED",
        ),
        (
            "device nonce mismatch",
            GatewayAuthenticationError,
            "DEVICE_AUTH_NONCE_MISMATCH",
        ),
    ],
)
def test_v3_refusal_message_is_classified(
    message: str, kind: type[GatewayError], code: str
) -> None:
    error = error_of({"code": "INVALID_REQUEST", "message": message})
    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize("message", ["unauthorized: bad API key", "device nonce odd"])
def test_message_after_handshake_is_not_classified(message: str) -> None:
    error = error_of({"code": "UNAVAILABLE", "message": message}, "agent")
    assert type(error) is RequestFailedError


@pytest.mark.parametrize(
    "error",
    [
        {"code": "INVALID_REQUEST", "message": "missing scope: operator.admin"},
        {
            "code": "FORBIDDEN",
            "message": "no",
            "details": {"code": "MISSING_SCOPE", "missingScope": "operator.admin"},
        },
    ],
)
def test_missing_scope_is_named(error: dict[str, Any]) -> None:
    read = error_of(error, "config.set")
    assert isinstance(read, MissingScopeError)
    assert (read.scopes, read.code) == (("operator.admin",), "MISSING_SCOPE")


def test_unnamed_missing_scope() -> None:
    details = {"code": "MISSING_SCOPE"}
    error = error_of({"code": "FORBIDDEN", "message": "no", "details": details})
    assert isinstance(error, MissingScopeError)
    assert error.scopes == ()


def test_rate_limit_has_retry_after() -> None:
    error = error_of({"details": {"code": "AUTH_RATE_LIMITED"}, "retryAfterMs": 60_000})
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 60


def test_scope_mismatch_requires_pairing() -> None:
    error = error_of({"details": {"code": "AUTH_SCOPE_MISMATCH", "requestId": "r"}})
    assert isinstance(error, PairingRequiredError)
    assert error.request_id == "r"


def test_unknown_code_is_request_failed_error() -> None:
    error = error_of({"code": "TEAPOT", "message": "I am a teapot"}, "brew")
    assert isinstance(error, RequestFailedError)
    assert (error.code, error.reason, error.retryable) == (
        "TEAPOT",
        "I am a teapot",
        False,
    )
    assert str(error) == "brew failed: TEAPOT"


def test_unknown_detail_code_falls_back_to_code() -> None:
    error = error_of({"code": "NOT_PAIRED", "details": {"code": "NEW_IN_V5"}})
    assert isinstance(error, PairingRequiredError)


@pytest.mark.parametrize(
    "error", [{"code": "UNAVAILABLE"}, {"code": "BUSY", "retryable": True}]
)
def test_transient_error_is_retryable(error: dict[str, Any]) -> None:
    transient = error_of(error | {"retryAfterMs": 500})
    assert isinstance(transient, RequestFailedError)
    assert (transient.retryable, transient.retry_after) == (True, 0.5)


def test_error_text_hides_gateway_message() -> None:
    secret = "the secret"
    for code in ("UNAVAILABLE", "AUTH_TOKEN_MISMATCH", "MISSING_SCOPE", "NOT_PAIRED"):
        for details in (
            {},
            {"code": code, "missingScope": secret, "requestId": secret},
        ):
            error = error_of({"code": code, "message": secret, "details": details})
            assert secret not in f"{error} {error!r}"


@pytest.mark.parametrize(
    ("error", "parent"),
    [
        (CannotConnectError("x", http_status=503), GatewayConnectionError),
        (ConnectionLostError("x", close_code=1012), GatewayConnectionError),
        (NotConnectedError("x"), GatewayConnectionError),
        (RequestTimeoutError("x"), GatewayConnectionError),
        (UnsupportedProtocolError("x"), GatewayProtocolError),
        (InvalidTokenError("x"), GatewayAuthenticationError),
        (AgentRunError("x", code="c"), RequestFailedError),
    ],
)
def test_error_class_hierarchy(error: GatewayError, parent: type[GatewayError]) -> None:
    assert isinstance(error, parent)
    assert isinstance(error, GatewayError)


@pytest.mark.parametrize(("close_code", "code"), [(1012, "1012"), (None, "")])
def test_lost_connection_has_close_code(close_code: int | None, code: str) -> None:
    error = ConnectionLostError("x", close_code=close_code, retry_after=1.5)
    assert (error.close_code, error.code, error.retry_after) == (close_code, code, 1.5)


def test_copied_error_keeps_attributes() -> None:
    error = PairingRequiredError("x", code="NOT_PAIRED", request_id="r")
    copied = copy(error)
    assert (type(copied), copied.args) == (PairingRequiredError, ("x",))
    assert vars(copied) == vars(error)
