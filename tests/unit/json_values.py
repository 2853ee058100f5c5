"""Recorded JSON with something else in one place."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

type Path = tuple[str | int, ...]

MAX_ENTRIES = 2
ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-5, 5)
    | st.sampled_from(["", "text", [], {}, [{}], [[]], {"text": {}}, {"text": []}])
)


def changed(document: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - JSON
    """Return the document with another value in one place."""
    return st.builds(
        lambda path, value: _put(document, path, value),
        st.sampled_from(list(_paths(document))),
        ANYTHING,
    )


def _paths(value: object) -> Iterator[Path]:
    """Return where there are values; long lists count by their first entries."""
    yield ()
    entries: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    if isinstance(value, list):
        entries = list(enumerate(value[:MAX_ENTRIES]))
    for key, inner in entries:
        yield from ((key, *path) for path in _paths(inner))


def _put(document: Any, path: Path, value: object) -> Any:  # noqa: ANN401 - JSON
    if not path:
        return value
    copy = deepcopy(document)
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy
