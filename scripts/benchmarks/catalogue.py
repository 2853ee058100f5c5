"""All figures, in the order in which they are measured."""

from . import connections, first_delta, streams
from .figure import Figure

FIGURES: tuple[Figure, ...] = (
    *streams.FIGURES,
    *connections.FIGURES,
    *first_delta.FIGURES,
)
