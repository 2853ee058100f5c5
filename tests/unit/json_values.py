"""Mutations of recorded JSON."""

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


def with_changed_value(document: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - JSON
    """Return a document with one value replaced."""
    return st.builds(
        lambda path, value: _replace(document, path, value),
        st.sampled_from(list(_paths(document))),
        ANYTHING,
    )


def _paths(value: object) -> Iterator[Path]:
    """Yield the path of each value, up to `MAX_ENTRIES` per list."""
    yield ()
    entries: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    if isinstance(value, list):
        entries = list(enumerate(value[:MAX_ENTRIES]))
    for key, inner in entries:
        yield from ((key, *path) for path in _paths(inner))


def _replace(document: Any, path: Path, value: object) -> Any:  # noqa: ANN401 - JSON
    if not path:
        return value
    copy = deepcopy(document)
    parent = copy
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return copy
