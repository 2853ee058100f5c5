"""Invariants of a settled client."""

from collections.abc import Iterable
from typing import Final

from tests.simulator.recordings import V3

from .conversations import PROMPT, REASON, REPLY, SESSIONS, Call, Caller, Conversation
from .harness import TOKEN, ClientHarness

PERMANENT_TASKS: Final = {"run", "watchdog"}


def check_conversation(harness: ClientHarness, conversation: Conversation) -> None:
    """Check that a reply is exact, or its failure allowed."""
    dropped = harness.client.statistics.drops > conversation.drops
    guesses = harness.gateway.protocol == V3 and conversation.plan.retried and dropped
    give_ups = harness.give_ups > conversation.give_ups
    failure_allowed = (
        conversation.may_fail
        or conversation.plan.ending != "completed"
        or guesses
        or give_ups
    )
    if conversation.result is None:
        assert failure_allowed, conversation.errors
    elif not conversation.incomplete:
        assert "".join(conversation.received) == conversation.result.text
        assert failure_allowed or conversation.result.text == conversation.expected


def check_call(harness: ClientHarness, call: Call) -> None:
    """Check that a response belongs to its request."""
    if call.payload:
        assert call.payload["sessionKey"] == call.session_key
    else:
        dropped = harness.client.statistics.drops > call.drops
        assert call.may_fail or dropped, call.errors


def check_client(harness: ClientHarness, listener_errors: int) -> None:
    """Check that the client is connected and idle."""
    client = harness.client
    assert harness.connected
    assert client.introspection.pending == ()
    assert client.introspection.runs == ()
    assert set(client.introspection.tasks.values()) == PERMANENT_TASKS
    assert set(harness.tasks_of_client()) == set(client.introspection.tasks)
    assert client.statistics.listener_errors == listener_errors


def check_secrets(harness: ClientHarness, callers: Iterable[Caller]) -> None:
    """Check that no log or error contains a secret."""
    for caller in callers:
        for error in caller.errors:
            harness.log_capture.add_error(error)
    tokens = harness.gateway.devices.tokens.values()
    secrets = (TOKEN, PROMPT, REPLY, REASON, *SESSIONS, *harness.keys, *tokens)
    assert harness.log_capture.find(*secrets) == []
