"""The keys of sessions."""

from dataclasses import replace
import re

import pytest

from custom_components.clawd.assist.session import (
    Scope,
    SessionContext,
    named_session_key,
    session_key,
)

CONTEXT = SessionContext("SUBENTRY", "CONVERSATION", "DEVICE", "USER")
HASHED = [scope for scope in Scope if scope is not Scope.NAMED]


@pytest.mark.parametrize("scope", HASHED)
def test_a_key_is_canonical_and_tells_nothing(scope: Scope) -> None:
    key = session_key("Main", scope, CONTEXT)

    assert re.fullmatch(r"agent:main:ha-[0-9a-f]{32}", key)


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        (Scope.CONVERSATION, "conversation"),
        (Scope.DEVICE, "device"),
        (Scope.USER, "user"),
        (Scope.SHARED, "subentry"),
    ],
)
def test_a_session_depends_on_its_subject_and_subentry_only(
    scope: Scope, field: str
) -> None:
    key = session_key("main", scope, CONTEXT)

    changed = {
        name
        for name in ("subentry", "conversation", "device", "user")
        if session_key("main", scope, replace(CONTEXT, **{name: "OTHER"})) != key
    }
    assert changed == {field, "subentry"}


def test_a_key_stays_the_same_in_later_versions() -> None:
    key = session_key("main", Scope.DEVICE, CONTEXT)

    assert key == "agent:main:ha-7791e50907ea32e15f17faabfdf0780a"


def test_scopes_do_not_meet() -> None:
    origin = SessionContext("same", "same", "same", "same")

    assert len({session_key("main", scope, origin) for scope in HASHED}) == len(HASHED)


@pytest.mark.parametrize("scope", [Scope.DEVICE, Scope.USER])
def test_what_nobody_knows_belongs_to_its_conversation(scope: Scope) -> None:
    origin = replace(CONTEXT, device=None, user=None)

    assert session_key("main", scope, origin) == session_key(
        "main", Scope.CONVERSATION, origin
    )


def test_a_name_is_all_that_can_be_read() -> None:
    assert named_session_key("main", "Jörg's Büro") == "agent:main:ha-jorg_s_buro"
