"""Faults of the listeners to the client's events."""

from ..fault_harness import Fault, FaultHarness
from ..report_assertions import Expected


def _fail(*_: object) -> None:
    raise RuntimeError


async def duplicate_listener(harness: FaultHarness) -> None:
    """Register two listeners that become equal, also in the baseline."""
    runtime = harness.runtime
    first, second = Twin(), Twin()
    for twin in (first, second):
        harness.cleanup.callback(runtime.client.subscribe("tick", twin))
    first.equal = second.equal = True
    runtime.listener_baseline = {**runtime.listener_baseline, "tick": 2}


async def additional_listener(harness: FaultHarness) -> None:
    """Register a listener after the setup."""
    unsubscribe = harness.runtime.client.subscribe("tick", lambda _: None)
    harness.cleanup.callback(unsubscribe)


async def missing_listener(harness: FaultHarness) -> None:
    """Lose a listener since the setup."""
    runtime = harness.runtime
    runtime.listener_baseline = {**runtime.listener_baseline, "tick": 1}


async def failing_listener(harness: FaultHarness) -> None:
    """Raise an exception in a listener."""
    unsubscribe = harness.runtime.client.subscribe("tick", _fail)
    harness.gateway.before("health", ("tick", {}))
    await harness.runtime.client.request("health")
    unsubscribe()


class Twin:
    """Listener that can become equal to another one."""

    equal = False

    def __call__(self, _: object) -> None:
        """Do nothing."""

    def __eq__(self, other: object) -> bool:
        """Return whether both have become equal."""
        return self is other or (isinstance(other, Twin) and self.equal and other.equal)

    __hash__ = object.__hash__


FAULTS = [
    Fault(duplicate_listener, "handler_duplicates", Expected(1, {"names": "tick"})),
    Fault(additional_listener, "handler_baseline", Expected(1, {"names": "tick"})),
    Fault(missing_listener, "handler_baseline", Expected(1, {"names": "tick"})),
    Fault(failing_listener, "handler_errors", Expected(1, {"count": 1})),
]
