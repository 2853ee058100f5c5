"""The command line of the benchmarks."""

import pytest

from scripts.benchmarks.catalogue import FIGURES
from scripts.benchmarks.options import SoakOptions, parse_options, parse_soak_options


def test_without_a_name_everything_is_measured() -> None:
    assert parse_options([]).figures == FIGURES


def test_named_figures_are_measured_in_the_order_of_the_catalogue() -> None:
    chosen = parse_options(["memory", "deltas", "--repeat", "2"])
    assert [figure.name for figure in chosen.figures] == ["deltas", "memory"]
    assert chosen.repeat == 2


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["--repeat", "0"], ["--repeat", "x"], ["deltas", "soak"]]
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_options(arguments)
    assert "error: " in capsys.readouterr().err


def test_a_soak_does_what_the_plan_asks_for() -> None:
    plan = SoakOptions(requests=50_000, runs=5_000, reconnects=500, protocol=4)
    assert parse_soak_options([]) == plan


def test_a_soak_can_be_shorter() -> None:
    arguments = ["--requests", "1", "--runs", "2", "--reconnects", "3"]
    options = parse_soak_options([*arguments, "--protocol", "3"])
    assert options == SoakOptions(1, 2, 3, 3)


def test_a_soak_without_runs_is_refused() -> None:
    with pytest.raises(SystemExit):
        parse_soak_options(["--runs", "0"])
