"""Tracebacks without values."""

import errno

import pytest

from custom_components.clawd.gateway.tracebacks import MAX_CHAIN, Failure, error_name

SECRET = "the-secret"


def raised(error: BaseException) -> BaseException:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_the_causes_of_an_exception_are_told_without_messages() -> None:
    cause = raised(OSError(errno.ENOSPC, SECRET))
    error = raised(ValueError(SECRET))
    error.__cause__ = cause
    failure = Failure.from_exception(error)
    assert [name for name, *_ in failure.origin] == ["ValueError", "OSError (ENOSPC)"]
    assert "unit/gateway/test_tracebacks.py" in failure.text
    assert __file__ not in failure.text
    assert SECRET not in failure.text


def test_the_exceptions_of_a_group_are_told() -> None:
    error = raised(ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)]))
    failure = Failure.from_exception(error)
    assert failure.text.splitlines()[-3:] == [
        "ExceptionGroup",
        "ValueError",
        "KeyError",
    ]
    assert SECRET not in failure.text


def test_no_chain_is_followed_for_ever() -> None:
    one, two = raised(ValueError()), raised(TypeError())
    one.__cause__, two.__cause__ = two, one
    assert len(Failure.from_exception(one).origin) == MAX_CHAIN


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (OSError(errno.EROFS, "x"), "OSError (EROFS)"),
        (PermissionError(errno.EACCES, "x"), "PermissionError (EACCES)"),
        (OSError("x"), "OSError"),
        (OSError(99_999, "x"), "OSError"),
        (KeyError("x"), "KeyError"),
    ],
)
def test_an_error_is_named(error: Exception, name: str) -> None:
    assert error_name(error) == name
