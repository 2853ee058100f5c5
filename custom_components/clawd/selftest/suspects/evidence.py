"""Evidence of a client, and of a self-test, for the suspects."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
import time
from typing import TYPE_CHECKING, Final, Self

from ...gateway import Cause, ConnectionState, GatewayError
from ...reports import FAILED_STATUSES, Origin, Status

if TYPE_CHECKING:
    from ...gateway import (
        ClientHistory,
        GatewayClient,
        HelloChange,
        RunOutcome,
        Transition,
    )
    from ..model import CheckOutcome, CheckResult

# Seconds for which a lost connection is of interest.
RECENT: Final = 3600.0


@dataclass(frozen=True)
class Evidence:
    """Evidence for the rules.

    Attributes:
        all_transitions: of the client, oldest first.
        hello_changes: differences of the last hellos, oldest first.
        run_outcomes: ends of the last questions.
        outcomes: of a self-test; without one, only the client is looked at.
        events: counters of the client since the setup of the entry.
        stopped: whether the client should run, and does not.
        explained: checks that the suspects so far explain.

    """

    all_transitions: Sequence[Transition]
    hello_changes: Sequence[HelloChange] = ()
    connected: bool = False
    state: ConnectionState = ConnectionState.CLOSED
    run_outcomes: Sequence[RunOutcome] = ()
    outcomes: Sequence[CheckOutcome] = ()
    events: Counter[str] = field(default_factory=Counter)
    stopped: bool = False
    explained: set[str] = field(default_factory=set)

    @classmethod
    def of_client(
        cls,
        client: GatewayClient,
        events: Counter[str],
        outcomes: Sequence[CheckOutcome] = (),
        *,
        loaded: bool = True,
    ) -> Self:
        """Return the evidence of a client."""
        introspection = client.introspection
        return cls(
            introspection.transitions,
            tuple(introspection.history.hello_changes),
            connected=client.hello is not None,
            state=client.state,
            run_outcomes=introspection.run_outcomes,
            outcomes=outcomes,
            events=events,
            stopped=loaded and "run" not in introspection.tasks.values(),
        )

    @classmethod
    def of_history(cls, history: ClientHistory) -> Self:
        """Return the evidence of former clients."""
        return cls(
            history.transitions.snapshot(),
            tuple(history.hello_changes),
            run_outcomes=tuple(history.statistics.run_outcomes),
        )

    @cached_property
    def transitions(self) -> tuple[Transition, ...]:
        """Return the recent transitions outside of drills."""
        now = time.monotonic()
        return tuple(
            transition
            for transition in self.all_transitions
            if now - transition.monotonic_at < RECENT and not transition.drill
        )

    @cached_property
    def failure(self) -> Transition | None:
        """Return the last failure since the last connection."""
        for transition in reversed(self.all_transitions):
            if self.connected or transition.cause is Cause.HELLO:
                break
            intended = transition.drill or transition.cause is Cause.STOPPED
            if transition.error and not intended:
                return transition
        return None

    @property
    def error(self) -> GatewayError | None:
        """Return the error that keeps the client from being connected."""
        return self.failure.error if self.failure else None

    @cached_property
    def reconnects(self) -> tuple[HelloChange, ...]:
        """Return the recent reconnects."""
        now = time.time()
        return tuple(
            change for change in self.hello_changes if now - change.at < RECENT
        )

    def result(self, check_id: str, *statuses: Status) -> CheckResult | None:
        """Return a check's result with given statuses."""
        results = (o.result for o in self.outcomes if o.check.id == check_id)
        return next((r for r in results if r.status in statuses), None)

    def unexplained(self, *origins: Origin) -> list[str]:
        """Return the failed checks without a suspect."""
        return [
            outcome.check.id
            for outcome in self.outcomes
            if outcome.result.status in FAILED_STATUSES
            and outcome.origin in origins
            and outcome.check.id not in self.explained
        ]
