"""Session keys."""

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
# With a device, the same session as `device`: a change of the setting keeps it.
DISTINCT = [scope for scope in HASHED if scope is not Scope.DEVICE_OR_USER]


@pytest.mark.parametrize("scope", HASHED)
def test_session_key_is_canonical_and_hashed(scope: Scope) -> None:
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
def test_session_key_depends_only_on_scope_and_subentry(
    scope: Scope, field: str
) -> None:
    key = session_key("main", scope, CONTEXT)

    others = {
        "subentry": replace(CONTEXT, subentry="OTHER"),
        "conversation": replace(CONTEXT, conversation="OTHER"),
        "device": replace(CONTEXT, device="OTHER"),
        "user": replace(CONTEXT, user="OTHER"),
    }
    changed = {
        name
        for name, context in others.items()
        if session_key("main", scope, context) != key
    }
    assert changed == {field, "subentry"}


def test_session_key_is_stable_across_versions() -> None:
    key = session_key("main", Scope.DEVICE, CONTEXT)

    assert key == "agent:main:ha-7791e50907ea32e15f17faabfdf0780a"


def test_session_keys_differ_by_scope() -> None:
    context = SessionContext("same", "same", "same", "same")

    keys = {session_key("main", scope, context) for scope in DISTINCT}
    assert len(keys) == len(DISTINCT)


@pytest.mark.parametrize("scope", [Scope.DEVICE, Scope.USER])
def test_missing_device_or_user_falls_back_to_conversation(scope: Scope) -> None:
    context = replace(CONTEXT, device=None, user=None)

    assert session_key("main", scope, context) == session_key(
        "main", Scope.CONVERSATION, context
    )


def test_named_session_key_contains_slug() -> None:
    assert named_session_key("main", "Jörg's Büro") == "agent:main:ha-jorg_s_buro"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("kitchen", "kitchen"),
        ("Room 1", "room_1"),
        ("room-1", "room_1"),
        ("Straße", "strasse"),
        ("K\u00f8kken", "kokken"),
        ("Cafe\u0301", "cafe"),
        ("\u0130stanbul", "istanbul"),
        ("x" * 200, "x" * 200),
    ],
)
def test_key_of_a_name_without_a_loss_is_that_of_earlier_versions(
    name: str, slug: str
) -> None:
    assert named_session_key("main", name) == f"agent:main:ha-{slug}"


def test_different_names_have_different_keys() -> None:
    names = [
        *("C", "C++", "C#", "c.", "a.b", "a/b", "a b", "unknown", "\u0259v", "v"),
        *("!", "?", "--", "---", "_", "🍕", "🚗", "👩\u200d🚀", "👩"),
        *("厨房", "除方", "chu fang", "Дом", "dom", "مطبخ", "حمام", "ห้อง", "\u0301"),
        *("\x00", "\ud800", "\udfff", "\u200b", "\u200f", "½", "x" * 300, "x" * 301),
    ]
    keys = [named_session_key("main", name) for name in names]

    assert len({*keys}) == len(names)
    for key in keys:
        assert re.fullmatch(r"agent:main:ha-[a-z0-9_]{1,210}", key)


@pytest.mark.parametrize("name", ["Kitchen", "C++", "Дом", "🍕 Pizza", "Straße"])
def test_case_and_outer_white_space_do_not_count(name: str) -> None:
    keys = {
        named_session_key("main", same)
        for same in (name, name.upper(), name.lower(), f" \n{name}\t")
    }
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("scope", "shared"),
    [
        (Scope.CONVERSATION, False),
        (Scope.USER, False),
        (Scope.DEVICE, True),
        (Scope.DEVICE_OR_USER, True),
        (Scope.SHARED, True),
    ],
)
def test_restricted_session_is_another_one_where_some_have_more_rights(
    scope: Scope, *, shared: bool
) -> None:
    restricted = session_key("main", scope, replace(CONTEXT, restricted=True))

    assert (restricted == session_key("main", scope, CONTEXT)) is shared


def test_device_or_user_is_the_first_that_is_known() -> None:
    scope, chat = Scope.DEVICE_OR_USER, replace(CONTEXT, device=None)

    assert session_key("main", scope, CONTEXT) == session_key(
        "main", Scope.DEVICE, CONTEXT
    )
    assert session_key("main", scope, chat) == session_key("main", Scope.USER, chat)
    nobody = replace(chat, user=None)
    assert session_key("main", scope, nobody) == session_key(
        "main", Scope.CONVERSATION, nobody
    )
