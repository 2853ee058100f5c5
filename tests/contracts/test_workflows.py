"""GitHub workflows and issue forms."""

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
type Rule = Callable[[str], Iterator[str]]


def _load(text: str) -> Document:
    document: Any = parse_yaml(text)
    return dict(document)


def without_timeout(workflow: str) -> Iterator[str]:
    """Find jobs that may run for GitHub's six hours."""
    for name, job in _load(workflow)["jobs"].items():
        if "timeout-minutes" not in job:
            yield name


def missing_commands(workflow: str) -> Iterator[str]:
    """Find commands of the repository that do not exist."""
    for command in re.findall(r"(?<![\w/.-])(?:\.ci|scripts)/[\w-]+", workflow):
        if not (ROOT / command).is_file():
            yield command
    for module in re.findall(r"-m (scripts[.\w]*)", workflow):
        if not (ROOT / module.replace(".", "/") / "__main__.py").is_file():
            yield module


RULES: dict[Rule, str] = {
    without_timeout: "jobs: {a: {steps: []}}",
    missing_commands: "jobs: {a: {steps: [{\n  run: scripts/nothing\n}]}}",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_breaks_no_rule(path: Path, rule: Rule) -> None:
    assert not list(rule(path.read_text("utf-8")))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_bad_example_of_each_rule_is_caught(rule: Rule) -> None:
    assert list(rule(RULES[rule]))


def test_every_supported_home_assistant_version_is_tested() -> None:
    workflow = _load((GITHUB / "workflows" / "tests.yaml").read_text("utf-8"))
    versions = workflow["jobs"]["home-assistant"]["strategy"]["matrix"]["version"]
    text = (ROOT / "scripts" / "test").read_text("utf-8")
    assert versions == re.findall(r"^        ([\d.]+)\)", text, re.MULTILINE)


def test_a_bug_report_requires_diagnostics_and_versions() -> None:
    form = _load((GITHUB / "ISSUE_TEMPLATE" / "bug.yml").read_text("utf-8"))
    required = {
        field["id"]
        for field in form["body"]
        if field.get("validations", {}).get("required")
    }
    assert required >= {"diagnostics", "self_test", "home_assistant", "gateway"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_has_a_name_and_labeled_fields(path: Path) -> None:
    # GitHub does not offer a form that lacks one of these.
    form = _load(path.read_text("utf-8"))
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert all(field["attributes"]["label"] for field in fields)
    assert len({field["id"] for field in fields}) == len(fields)
