"""What runs on GitHub is pinned, bounded, and calls what there is."""

from collections.abc import Callable, Iterator
from pathlib import Path
import re
from typing import Any

from homeassistant.util.yaml import parse_yaml
import pytest

from .sources import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yaml"))
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("[bf]*.yml"))

type Document = dict[Any, Any]
type Rule = Callable[[str, Document], Iterator[str]]


def _load(text: str) -> Document:
    document: Any = parse_yaml(text)
    return dict(document)


def unpinned(text: str, _: Document) -> Iterator[str]:
    """Find actions that are no commit, or do not say which version that is."""
    for action in re.findall(r"uses: (.*)", text):
        if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # \S+", action):
            yield action


def unbounded(_: str, workflow: Document) -> Iterator[str]:
    """Find jobs that may run for hours."""
    for name, job in workflow["jobs"].items():
        if "timeout-minutes" not in job:
            yield name


def unlimited(_: str, workflow: Document) -> Iterator[str]:
    """Find workflows that may write unless a job says so itself."""
    if workflow.get("permissions") != {"contents": "read"}:
        yield "permissions"


def exposed(_: str, workflow: Document) -> Iterator[str]:
    """Find workflows that run a stranger's code with our secrets."""
    # YAML takes the key `on` for a boolean.
    if "pull_request_target" in workflow[True]:
        yield "pull_request_target"


def missing(text: str, _: Document) -> Iterator[str]:
    """Find commands of the repository that are not there."""
    for command in re.findall(r"(?<![\w/.-])(?:\.ci|scripts)/[\w-]+", text):
        if not (ROOT / command).is_file():
            yield command
    for module in re.findall(r"-m (scripts[.\w]*)", text):
        if not (ROOT / module.replace(".", "/") / "__main__.py").is_file():
            yield module


RULES: dict[Rule, str] = {
    unpinned: "on: push\njobs: {a: {steps: [{\n  uses: actions/checkout@v5\n}]}}",
    unbounded: "on: push\njobs: {a: {steps: []}}",
    unlimited: "on: push\npermissions: write-all\njobs: {}",
    exposed: "on: {pull_request_target: {}}\njobs: {}",
    missing: "on: push\njobs: {a: {steps: [{\n  run: scripts/nothing\n}]}}",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_breaks_no_rule(path: Path, rule: Rule) -> None:
    text = path.read_text("utf-8")
    assert not list(rule(text, _load(text)))


def test_an_action_is_everywhere_of_the_same_commit() -> None:
    texts = [path.read_text("utf-8") for path in WORKFLOWS]
    pins = {pin for text in texts for pin in re.findall(r"uses: (\S+)@(\S+)", text)}
    assert len(pins) == len({action for action, _ in pins})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_bad_example_of_each_rule_is_caught(rule: Rule) -> None:
    assert list(rule(RULES[rule], _load(RULES[rule])))


def test_there_are_workflows_for_tests_validation_and_release() -> None:
    assert [path.stem for path in WORKFLOWS] == [
        "codeql",
        "mutation",
        "release",
        "tests",
        "validate",
    ]


def test_each_version_of_home_assistant_that_can_be_tested_is() -> None:
    workflow = _load((GITHUB / "workflows" / "tests.yaml").read_text("utf-8"))
    versions = workflow["jobs"]["home-assistant"]["strategy"]["matrix"]["version"]
    text = (ROOT / "scripts" / "test").read_text("utf-8")
    assert versions == re.findall(r"^        ([\d.]+)\)", text, re.MULTILINE)


def test_a_report_of_a_bug_comes_with_what_it_takes_to_see_it() -> None:
    form = _load((GITHUB / "ISSUE_TEMPLATE" / "bug.yml").read_text("utf-8"))
    required = {
        field["id"]
        for field in form["body"]
        if field.get("validations", {}).get("required")
    }
    assert required >= {"diagnostics", "self_test", "home_assistant", "gateway"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_the_fields_of_a_form_have_a_name_and_a_label(path: Path) -> None:
    form = _load(path.read_text("utf-8"))
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert all(field["attributes"]["label"] for field in fields)
    assert len({field["id"] for field in fields}) == len(fields)
