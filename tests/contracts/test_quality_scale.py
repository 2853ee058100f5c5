"""Claims about Home Assistant's quality scale."""

import ast

import pytest

from . import quality_of_entities, quality_of_errors, quality_of_flows
from .component import Component, calls, real_component
from .quality_scale import ALL_RULES, RULES, Files, claims

MODULES = (quality_of_entities, quality_of_errors, quality_of_flows)
REAL = real_component()
CLAIMS = claims()
CLAIMED = [name for name in RULES if CLAIMS[name].status != "todo"]
BAD_EXAMPLES = [(name, bad) for name, rule in RULES.items() for bad in rule.bad]


def test_every_rule_is_listed_once_in_the_order_of_the_scale() -> None:
    assert list(CLAIMS) == ALL_RULES


def test_a_rule_is_done_or_todo_or_exempt_for_a_reason() -> None:
    assert {claim.status for claim in CLAIMS.values()} <= {"done", "todo", "exempt"}
    exempt = [claim for claim in CLAIMS.values() if claim.status == "exempt"]
    assert all(claim.comment for claim in exempt)


@pytest.mark.parametrize("name", CLAIMED)
def test_nothing_contradicts_a_claim(name: str) -> None:
    assert list(RULES[name].find(REAL)) == []


@pytest.mark.parametrize(
    ("name", "bad"),
    BAD_EXAMPLES,
    ids=[f"{name}-{n}" for n, (name, _) in enumerate(BAD_EXAMPLES)],
)
def test_a_bad_example_of_each_rule_is_caught(name: str, bad: Files) -> None:
    assert len(list(RULES[name].find(Component(bad)))) == 1


def test_the_rules_look_at_files_that_exist() -> None:
    assert REAL.platforms.keys() >= {"conversation", "event", "sensor"}
    assert {f"{name}.py" for name in REAL.platforms} <= REAL.files.keys()
    assert {"entity.py", quality_of_errors.TABLE} <= REAL.files.keys()


def test_every_check_belongs_to_a_rule_of_the_scale() -> None:
    assert set(RULES) <= set(ALL_RULES)
    checks = {rule.find.__module__ for rule in RULES.values()}
    assert checks == {module.__name__ for module in MODULES}


def test_a_call_knows_its_enclosing_functions_and_classes() -> None:
    source = "class A:\n def b(self): c(d())\ne()"
    found = [(call.inside, call.name) for call in calls(ast.parse(source))]
    assert found == [(("A", "b"), "c"), (("A", "b"), "d"), ((), "e")]
