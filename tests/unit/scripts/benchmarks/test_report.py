"""What the benchmarks make of their samples."""

from collections.abc import AsyncGenerator
import io

import orjson
import pytest

from scripts.benchmarks.figure import Figure, Result, Sample
from scripts.benchmarks.report import HEADERS, document, markdown, print_table, rows
from scripts.benchmarks.stage import Stage
from scripts.home_assistant.console import Console


async def nothing(_: Stage) -> AsyncGenerator[Sample]:
    yield Sample(1, 1)


def figure(goal: float, *, absolute: bool = False) -> Figure:
    return Figure("name", "title", "ms", goal, 3, nothing, absolute)


def result(
    goal: float, *samples: tuple[float, float], absolute: bool = False
) -> Result:
    return Result(
        figure(goal, absolute=absolute), [Sample(*sample) for sample in samples]
    )


PAIRS = ((1, 1.5), (2, 2), (10, 40))


def test_the_ratio_is_the_median_of_the_pairs() -> None:
    measured = result(1.5, *PAIRS)
    assert (measured.floor, measured.ours, measured.ratio) == (2, 2, 1.5)


@pytest.mark.parametrize(("goal", "met"), [(1.5, True), (1.49, False)])
def test_a_ratio_that_is_the_goal_meets_it(goal: float, *, met: bool) -> None:
    assert result(goal, *PAIRS).met is met


@pytest.mark.parametrize(("goal", "met"), [(2, True), (1.99, False)])
def test_the_goal_of_an_amount_is_compared_with_ours(goal: float, *, met: bool) -> None:
    measured = result(goal, *PAIRS, absolute=True)
    assert measured.ratio is None
    assert measured.met is met


def test_an_amount_needs_no_floor() -> None:
    assert result(0, (0, 0), absolute=True).met


def test_the_document_has_every_sample_and_no_name_of_a_host() -> None:
    content = orjson.loads(document([result(1.5, *PAIRS)]))
    assert set(content) == {"measured_at", "software", "machine", "figures"}
    assert set(content["software"]) == {"python", "websockets", "orjson"}
    assert set(content["machine"]) == {"cpus", "system", "architecture"}
    assert content["figures"] == [
        {
            "name": "name",
            "title": "title",
            "unit": "ms",
            "floor": 2,
            "ours": 2,
            "ratio": 1.5,
            "goal": 1.5,
            "goal_is": "ratio",
            "met": True,
            "samples": [{"floor": floor, "ours": ours} for floor, ours in PAIRS],
        }
    ]


def test_the_table_says_what_was_missed() -> None:
    stream = io.StringIO()
    results = [result(1.5, *PAIRS), result(1, *PAIRS)]
    print_table(Console(stream), HEADERS, rows(results))
    _, met, missed = stream.getvalue().splitlines()
    assert met.split() == ["name", "title", "ms", "2", "2", "1.5", "≤", "1.5", "met"]
    assert missed.split()[-3:] == ["≤", "1", "missed"]


def test_the_table_leaves_the_ratio_of_an_amount_empty() -> None:
    [row] = rows([result(300, (1, 131.61), absolute=True)])
    assert row == ("name", "title", "ms", "1", "132", "", "≤ 300", "met")


def test_the_table_can_be_markdown() -> None:
    page = markdown([result(1.5, *PAIRS)]).splitlines()
    title, _, facts, _, headers, rule, row = page
    assert title == "# Benchmarks"
    assert facts.startswith("`scripts/bench --markdown`, on ")
    assert headers.startswith("| figure | ")
    assert {headers.count("|"), rule.count("|"), row.count("|")} == {9}
    assert row == "| name | title | ms | 2 | 2 | 1.5 | ≤ 1.5 | met |"
