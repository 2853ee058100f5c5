"""Command line, results and report of the benchmarks."""

from collections.abc import AsyncGenerator
import io

import orjson
import pytest

from scripts.benchmarks.__main__ import (
    BENCHMARKS,
    parse_arguments,
    parse_soak_arguments,
)
from scripts.benchmarks.benchmark import Benchmark, Result, Sample
from scripts.benchmarks.harness import Harness
from scripts.benchmarks.report import HEADERS, as_json, markdown, print_table, rows
from scripts.home_assistant.console import Console

SAMPLES = [Sample(1, 1.5), Sample(2, 2), Sample(10, 40)]


async def sample(_: Harness) -> AsyncGenerator[Sample]:
    yield Sample(1, 1)


def result(goal: float, *, absolute: bool = False) -> Result:
    benchmark = Benchmark("name", "title", "ms", goal, 3, sample, absolute)
    return Result(benchmark, SAMPLES)


def test_all_benchmarks_are_the_default() -> None:
    options = parse_arguments([])
    assert options.names == [benchmark.name for benchmark in BENCHMARKS]
    assert options.repeat is None


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["--repeat", "0"], ["--repeat", "x"], ["deltas", "soak"]]
)
def test_invalid_arguments_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(arguments)
    assert "error: " in capsys.readouterr().err


def test_a_soak_without_runs_is_refused() -> None:
    assert parse_soak_arguments(["--runs", "1"]).runs == 1
    with pytest.raises(SystemExit):
        parse_soak_arguments(["--runs", "0"])


@pytest.mark.parametrize(("goal", "met"), [(1.5, True), (1.49, False)])
def test_the_median_ratio_is_compared_with_the_goal(goal: float, *, met: bool) -> None:
    measured = result(goal)
    assert (measured.baseline, measured.client, measured.ratio) == (2, 2, 1.5)
    assert measured.met is met


@pytest.mark.parametrize(("goal", "met"), [(2, True), (1.99, False)])
def test_an_amount_is_compared_with_the_goal(goal: float, *, met: bool) -> None:
    measured = result(goal, absolute=True)
    assert measured.ratio is None
    assert measured.met is met


def test_the_table_shows_a_missed_goal() -> None:
    stream = io.StringIO()
    results = [result(1.5), result(1), result(300, absolute=True)]
    print_table(Console(stream), HEADERS, rows(results))
    _, met, missed, amount = [line.split() for line in stream.getvalue().splitlines()]
    assert met == ["name", "title", "ms", "2", "2", "1.5", "≤", "1.5", "met"]
    assert missed[-3:] == ["≤", "1", "missed"]
    assert amount == ["name", "title", "ms", "2", "2", "≤", "300", "met"]


def test_the_page_has_the_same_table() -> None:
    title, _, intro, _, headers, rule, row = markdown([result(1.5)]).splitlines()
    assert title == "# Benchmarks"
    assert intro.startswith("`scripts/bench --markdown`, on ")
    assert headers.startswith("| benchmark | ")
    assert {headers.count("|"), rule.count("|"), row.count("|")} == {9}
    assert row == "| name | title | ms | 2 | 2 | 1.5 | ≤ 1.5 | met |"


def test_the_page_says_how_it_was_measured() -> None:
    noted = Benchmark("name", "title", "ms", 1.5, 3, sample, note="As told.")
    lines = markdown([result(1), Result(noted, SAMPLES)]).splitlines()
    assert lines[-2:] == ["", "- name: As told."]


def test_json_has_every_sample() -> None:
    content = orjson.loads(as_json([result(1.5)]))
    assert set(content) == {"measured", "benchmarks"}
    assert content["benchmarks"]["name"] == {
        "ratio": 1.5,
        "goal": 1.5,
        "met": True,
        "samples": [sample._asdict() for sample in SAMPLES],
    }
