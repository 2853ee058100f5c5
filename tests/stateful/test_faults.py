"""Whatever happens to the connection, nothing is left, lost or given away."""

from hypothesis.stateful import run_state_machine_as_test

from .faults import FaultMachine

MIN_STEPS = 1_000


def test_no_order_of_faults_breaks_a_promise(protocol: int) -> None:
    class Machine(FaultMachine):
        steps = 0

    Machine.protocol = protocol
    run_state_machine_as_test(Machine)
    print(f"protocol {protocol}: {Machine.steps} steps")
    assert Machine.steps >= MIN_STEPS
