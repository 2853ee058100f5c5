"""Several subscriptions as one."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def combine_unsubscribes(
    *unsubscribes: Callable[[], object],
) -> Callable[[], None]:
    """Return the unsubscribe of several subscriptions, which end once.

    They end in the reverse order, and also where one of them raises.
    """
    stack = ExitStack()
    for unsubscribe in unsubscribes:
        stack.callback(unsubscribe)
    return stack.close
