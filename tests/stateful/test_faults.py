"""Stateful test of the client under faults."""

from hypothesis.stateful import run_state_machine_as_test

from .faults import FaultMachine

MIN_STEPS = 1_000


def test_invariants_hold_under_any_order_of_faults(protocol: int) -> None:
    class Machine(FaultMachine):
        steps = 0

    Machine.protocol = protocol
    run_state_machine_as_test(Machine)
    print(f"protocol {protocol}: {Machine.steps} steps")
    assert Machine.steps >= MIN_STEPS
