"""Listeners to events."""

import inspect
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from .statistics import Statistics

_LOGGER = logging.getLogger(__name__)

type Listener[T] = Callable[[T], object]


class EventListeners[T]:
    """Listeners by event name.

    A listener is any callable, sync or async, and is held once per name (by `==`).
    An exception of a listener reaches neither the next listener nor the reader; it
    is counted and logged by type.

    Attributes:
        names: event names that have a listener.

    """

    def __init__(
        self,
        statistics: Statistics,
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
    ) -> None:
        """Initialize without listeners.

        `spawn(coroutine, name)` runs async listeners.
        """
        self._statistics = statistics
        self._spawn = spawn
        self._listeners: dict[str, list[Listener[T]]] = {}
        self.names = self._listeners.keys()

    def snapshot(self) -> Mapping[str, tuple[Listener[T], ...]]:
        """Return the listeners of each name."""
        return {name: tuple(found) for name, found in self._listeners.items()}

    def subscribe(self, name: str, listener: Listener[T]) -> Callable[[], None]:
        """Add a listener; return its unsubscribe.

        The unsubscribe may be called twice.
        """
        if listener not in (listeners := self._listeners.setdefault(name, [])):
            listeners.append(listener)
        used = False

        def unsubscribe() -> None:
            nonlocal used
            if not used and listener in (listeners := self._listeners.get(name, [])):
                listeners.remove(listener)
                if not listeners:
                    del self._listeners[name]
            used = True

        return unsubscribe

    def dispatch(self, name: str, value: T) -> None:
        """Call the listeners in order of subscription.

        A listener that unsubscribes during the dispatch is skipped; one that
        subscribes waits for the next event.
        """
        for listener in tuple(self._listeners.get(name, ())):
            if listener in self._listeners.get(name, ()):
                self._call(name, listener, value)

    def _call(self, name: str, listener: Listener[T], value: T) -> None:
        try:
            outcome = listener(value)
        except Exception as err:  # noqa: BLE001 - a listener may raise anything
            self._count(name, err)
        else:
            if inspect.isawaitable(outcome):
                self._spawn(self._guard(name, outcome), f"listener {name}")

    async def _guard(self, name: str, outcome: Awaitable[object]) -> None:
        try:
            await outcome
        except Exception as err:  # noqa: BLE001 - a listener may raise anything
            self._count(name, err)

    def _count(self, name: str, err: Exception) -> None:
        self._statistics.listener_errors += 1
        _LOGGER.error("A listener to %s raised %s", name, type(err).__name__)
