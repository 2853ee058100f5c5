"""Errors of requests."""

from dataclasses import dataclass

from .recordings import V3, Frame


@dataclass
class RequestError(Exception):
    """Error response to a request."""

    error: Frame


def invalid_request(message: str) -> RequestError:
    """Return an ``INVALID_REQUEST`` error."""
    return RequestError({"code": "INVALID_REQUEST", "message": message})


def missing_scope(protocol: int, scope: str) -> RequestError:
    """Return the error of a missing scope."""
    message = f"missing scope: {scope}"
    if protocol == V3:
        return invalid_request(message)
    details = {
        "code": "MISSING_SCOPE",
        "missingScope": scope,
        "requiredScopes": [scope],
    }
    return RequestError({"code": "FORBIDDEN", "message": message, "details": details})
