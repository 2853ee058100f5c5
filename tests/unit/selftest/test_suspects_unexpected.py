"""Suspects after unexpected exceptions."""

from custom_components.clawd.gateway import (
    CannotConnectError,
    Cause,
    ClientHistory,
    UnexpectedError,
)
from custom_components.clawd.selftest.suspects.evidence import Evidence

from .test_suspects import change, evidence, failed, keys


def test_a_fault_of_the_client_is_not_the_connections() -> None:
    fault = change(Cause.UNEXPECTED, UnexpectedError())
    given = evidence(fault, connected=False, main_loop_errors=1)
    assert keys(given) == ["main_loop_errors"]


def test_a_fault_of_a_client_that_is_gone_is_named() -> None:
    history = ClientHistory()
    history.transitions.add(change(Cause.UNEXPECTED, UnexpectedError()))
    assert keys(Evidence.of_history(history)) == ["main_loop_errors"]


def test_a_fault_that_is_over_leaves_the_next_failure() -> None:
    fault = change(Cause.UNEXPECTED, UnexpectedError())
    refused = failed(CannotConnectError("", code="REFUSED"))
    assert keys(evidence(fault, refused, connected=False)) == ["port_closed"]
