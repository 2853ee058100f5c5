"""Quality scale rules, and our claims."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from homeassistant.util.yaml import load_yaml_dict

from .component import Component
from .sources import COMPONENT

type Check = Callable[[Component], Iterator[str]]
type Files = Mapping[str, str]

TIERS = {
    "bronze": (
        "action-setup appropriate-polling brands common-modules config-flow"
        " config-flow-test-coverage dependency-transparency docs-actions"
        " docs-conditions docs-high-level-description docs-installation-instructions"
        " docs-removal-instructions docs-triggers entity-event-setup entity-unique-id"
        " has-entity-name runtime-data test-before-configure test-before-setup"
        " unique-config-entry"
    ),
    "silver": (
        "action-exceptions config-entry-unloading docs-configuration-parameters"
        " docs-installation-parameters entity-unavailable integration-owner"
        " log-when-unavailable parallel-updates reauthentication-flow test-coverage"
    ),
    "gold": (
        "devices diagnostics discovery discovery-update-info docs-data-update"
        " docs-examples docs-known-limitations docs-supported-devices"
        " docs-supported-functions docs-troubleshooting docs-use-cases"
        " dynamic-devices entity-category entity-device-class"
        " entity-disabled-by-default entity-translations exception-translations"
        " icon-translations reconfiguration-flow repair-issues stale-devices"
    ),
    "platinum": "async-dependency inject-websession strict-typing",
}
ALL_RULES = [rule for rules in TIERS.values() for rule in rules.split()]


class Claim(NamedTuple):
    """Status of a rule (done, todo or exempt), with a comment."""

    status: str
    comment: str


class Rule(NamedTuple):
    """Check of a rule, with bad examples."""

    find: Check
    bad: tuple[Files, ...]


RULES: dict[str, Rule] = {}


def rule(name: str, *bad: Files) -> Callable[[Check], Check]:
    """Register a check of a rule, with bad examples."""

    def register(find: Check) -> Check:
        RULES[name] = Rule(find, bad)
        return find

    return register


def claims() -> dict[str, Claim]:
    """Read the claims of `quality_scale.yaml`."""
    rules = load_yaml_dict(str(COMPONENT / "quality_scale.yaml"))["rules"]
    return {name: _claim(value) for name, value in rules.items()}


def _claim(value: Any) -> Claim:  # noqa: ANN401 - as the file has it
    if isinstance(value, dict):
        return Claim(value["status"], value.get("comment", ""))
    return Claim(value, "")
