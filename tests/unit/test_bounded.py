"""Dicts of bounded size."""

from collections import OrderedDict

from custom_components.clawd.util.bounded import remember


def test_the_oldest_key_is_forgotten() -> None:
    kept = OrderedDict[str, int]()
    for number, key in enumerate("abc"):
        remember(kept, key, number, 2)

    assert dict(kept) == {"b": 1, "c": 2}


def test_a_key_that_is_set_again_is_the_newest() -> None:
    kept = OrderedDict[str, int]()
    for number, key in enumerate("abac"):
        remember(kept, key, number, 2)

    assert list(kept.items()) == [("a", 2), ("c", 3)]


def test_all_that_are_too_many_are_forgotten() -> None:
    kept = OrderedDict({"a": 0, "b": 1, "c": 2})

    remember(kept, "d", 3, 1)

    assert dict(kept) == {"d": 3}
