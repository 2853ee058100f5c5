"""Tracebacks without values."""

from dataclasses import dataclass
import errno
from pathlib import Path
import traceback
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHAIN: Final = 5
MAX_FRAMES: Final = 20
# Of a path: clawd/gateway/client.py.
MAX_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Failure:
    """Unexpected exception, without its message.

    Attributes:
        origin: class, file and line of the exception and its causes.
        text: their tracebacks.

    """

    origin: tuple[tuple[str, str, int | None], ...]
    text: str

    @classmethod
    def from_exception(cls, err: BaseException) -> Self:
        """Describe an exception.

        Its message is left out: `ValueError("invalid token abc")`.
        """
        origin: list[tuple[str, str, int | None]] = []
        parts: list[str] = []
        for error in _chain(err):
            name = error_name(error)
            frames = traceback.extract_tb(error.__traceback__, -MAX_FRAMES)
            origin += [(name, frame.filename, frame.lineno) for frame in frames[-1:]]
            parts += [_format(frame) for frame in frames] + [f"{name}\n"]
        return cls(tuple(origin), "".join(parts))


def error_name(err: BaseException) -> str:
    """Return class and system name of an exception."""
    name = type(err).__name__
    code = errno.errorcode.get(err.errno or 0) if isinstance(err, OSError) else None
    return f"{name} ({code})" if code else name


def _format(frame: traceback.FrameSummary) -> str:
    """Format a frame with a relative path."""
    file = "/".join(Path(frame.filename).parts[-MAX_PARTS:])
    return f'  File "{file}", line {frame.lineno}, in {frame.name}\n    {frame.line}\n'


def _chain(err: BaseException) -> Iterator[BaseException]:
    """Yield an exception after its causes."""
    waiting = [err]
    for _ in range(MAX_CHAIN):
        if not waiting:
            return
        error, *waiting = waiting
        # A task group that fails raises the exceptions of its tasks together.
        group = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        before = error.__cause__ or error.__context__
        waiting = [*group, *filter(None, [before]), *waiting]
        yield error
