"""What must be true once everything has come to rest."""

from collections.abc import Iterable
from typing import Final

from tests.simulator.recordings import V3

from .conversations import PROMPT, REASON, REPLY, SESSIONS, Call, Caller, Conversation
from .world import TOKEN, World

LASTING: Final = {"run", "watchdog"}


def see_talk(world: World, talk: Conversation) -> None:
    """See that a reply is what was sent, and that a missing one has its reason."""
    dropped = world.client.statistics.drops > talk.drops
    guesses = world.gateway.protocol == V3 and talk.plan.retried and dropped
    given_up = world.given_up > talk.given_up
    may_fail = talk.excused or talk.plan.ending != "well" or guesses or given_up
    if talk.result is None:
        assert may_fail, talk.errors
    elif not talk.incomplete:
        assert "".join(talk.told) == talk.result.text
        assert may_fail or talk.result.text == talk.expected


def see_call(world: World, call: Call) -> None:
    """See that a response belongs to its request."""
    if call.payload:
        assert call.payload["sessionKey"] == call.session_key
    else:
        dropped = world.client.statistics.drops > call.drops
        assert call.excused or dropped, call.errors


def see_client(world: World, listener_errors: int) -> None:
    """See that the client has nothing left to do."""
    client = world.client
    assert world.connected
    assert client.introspection.pending == ()
    assert client.introspection.runs == ()
    assert set(client.introspection.tasks.values()) == LASTING
    assert set(world.tasks_of_client()) == set(client.introspection.tasks)
    assert client.statistics.listener_errors == listener_errors


def see_secrets(world: World, callers: Iterable[Caller]) -> None:
    """See that neither a log nor an error holds what is nobody's business."""
    for caller in callers:
        for error in caller.errors:
            world.witness.hear(error)
    tokens = world.gateway.devices.tokens.values()
    secrets = (TOKEN, PROMPT, REPLY, REASON, *SESSIONS, *world.keys, *tokens)
    assert world.witness.told(*secrets) == []
