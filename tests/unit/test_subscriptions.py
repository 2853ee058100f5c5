"""Several subscriptions as one."""

import pytest

from custom_components.clawd.util.subscriptions import combine_unsubscribes


def test_each_ends_once_and_the_last_one_first() -> None:
    ended: list[str] = []
    unsubscribe = combine_unsubscribes(
        lambda: ended.append("first"), lambda: ended.append("last")
    )

    assert ended == []
    unsubscribe()
    unsubscribe()

    assert ended == ["last", "first"]


def test_an_error_keeps_no_other_subscription() -> None:
    ended: list[str] = []

    def fail() -> None:
        raise ConnectionError

    unsubscribe = combine_unsubscribes(lambda: ended.append("first"), fail)

    with pytest.raises(ConnectionError):
        unsubscribe()
    assert ended == ["first"]
