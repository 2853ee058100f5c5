"""Detection of lost replies."""

import time

import pytest

from custom_components.clawd.gateway import RunOutcome
from custom_components.clawd.reports import Status
from custom_components.clawd.selftest.checks.runs import check_run_outcomes

from .check_results import introspection, result_of


@pytest.mark.parametrize(
    ("code", "error", "origin"),
    [
        # The connection was lost, and this is why it did not come back in time.
        ("HTTP_502", "CannotConnectError", "network"),
        ("TLS_FINGERPRINT", "CertificateError", "network"),
        ("AUTH_TOKEN_MISMATCH", "InvalidTokenError", "gateway"),
        ("PROTOCOL_MISMATCH", "UnsupportedProtocolError", "gateway"),
    ],
)
@pytest.mark.parametrize("accepted", [True, False])
async def test_an_accepted_run_that_no_word_of_the_gateway_ended_is_lost(
    code: str, error: str, origin: str, *, accepted: bool
) -> None:
    ended = RunOutcome(time.time(), code, error, accepted)
    given = introspection(run_outcomes=(ended,))

    result = await result_of(check_run_outcomes, introspection=given)

    assert result.observed == int(accepted)
    assert result.status is (Status.WARN if accepted else Status.PASS)
    assert result.origin == (origin if accepted else None)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ok", None),
        ("UNAVAILABLE", "AgentRunError"),
        ("ABORTED", "AgentRunAborted"),
        ("STOPPED", "NotConnectedError"),
    ],
)
async def test_a_run_whose_end_is_known_is_not_lost(
    code: str, error: str | None
) -> None:
    ended = RunOutcome(time.time(), code, error, accepted=True)
    given = introspection(run_outcomes=(ended,))

    result = await result_of(check_run_outcomes, introspection=given)

    assert (result.status, result.observed) == (Status.PASS, 0)


@pytest.mark.parametrize(
    ("code", "origin"),
    [("RUN_LOST", "gateway"), ("UNEXPECTED", "integration"), ("1006", "network")],
)
async def test_a_run_that_ended_with_the_code_of_a_loss_is_lost(
    code: str, origin: str
) -> None:
    ended = RunOutcome(time.time(), code, "GatewayError")
    given = introspection(run_outcomes=(ended,))

    result = await result_of(check_run_outcomes, introspection=given)

    assert (result.status, result.origin) == (Status.WARN, origin)
