"""The manifest, actions and icons keep the rules that hassfest checks."""

from collections.abc import Callable, Iterator
import re
from typing import Any

from homeassistant.const import Platform
from homeassistant.helpers.selector import validate_selector
from homeassistant.util.yaml import load_yaml_dict
import pytest
import voluptuous as vol

from .sources import COMPONENT, imports, modules, parse, read_json

type Document = dict[str, Any]
type Rule = Callable[[Document], Iterator[str]]

KEYS = {
    "after_dependencies",
    "bluetooth",
    "codeowners",
    "config_flow",
    "dependencies",
    "dhcp",
    "disabled",
    "documentation",
    "domain",
    "homekit",
    "import_executor",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "loggers",
    "mqtt",
    "name",
    "quality_scale",
    "requirements",
    "single_config_entry",
    "ssdp",
    "usb",
    "version",
    "zeroconf",
}
REQUIRED = {"domain", "name", "documentation", "codeowners", "iot_class", "version"}
IOT_CLASSES = {
    "assumed_state",
    "calculated",
    "cloud_polling",
    "cloud_push",
    "local_polling",
    "local_push",
}
TYPES = {"device", "entity", "hardware", "helper", "hub", "service", "system"}
REQUIREMENT = re.compile(r"[\w.-]+(\[[\w,-]+\])?(==|>=|~=)\d[\w.]*")
ZEROCONF = re.compile(r"_[a-z0-9-]{1,15}\._(tcp|udp)\.local\.")
# Home Assistant brings these itself, so nobody has to name them.
ALWAYS_THERE = {"repairs", "system_health", *Platform} - {"conversation"}
ICON = re.compile(r"mdi:[a-z0-9]+(-[a-z0-9]+)*")
FIELD_KEYS = {
    "name",
    "description",
    "example",
    "default",
    "required",
    "advanced",
    "selector",
}


def unknown_or_missing(manifest: Document) -> Iterator[str]:
    """Find keys that hassfest does not know, or misses."""
    yield from manifest.keys() - KEYS
    yield from REQUIRED - manifest.keys()


def unclassified(manifest: Document) -> Iterator[str]:
    """Find a class or type that Home Assistant does not have."""
    if manifest.get("iot_class") not in IOT_CLASSES:
        yield "iot_class"
    if manifest.get("integration_type") not in TYPES:
        yield "integration_type"


def claimed(manifest: Document) -> Iterator[str]:
    """Find what only an integration of Home Assistant's own may say."""
    url = manifest.get("documentation", "")
    if not url.startswith("https://") or "www.home-assistant.io" in url:
        yield url


def unversioned(manifest: Document) -> Iterator[str]:
    """Find a version that is not of three numbers."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", manifest.get("version", "")):
        yield "version"


def unowned(manifest: Document) -> Iterator[str]:
    """Find owners that are no account."""
    owners = manifest.get("codeowners") or [""]
    return (owner for owner in owners if not re.fullmatch(r"@[\w-]+", owner))


def unbounded(manifest: Document) -> Iterator[str]:
    """Find requirements of any version."""
    requirements = manifest.get("requirements", [])
    return (item for item in requirements if not REQUIREMENT.fullmatch(item))


def undiscoverable(manifest: Document) -> Iterator[str]:
    """Find services of the network whose name no announcement can have."""
    services = manifest.get("zeroconf", [])
    return (item for item in services if not ZEROCONF.fullmatch(item))


def undeclared(manifest: Document) -> Iterator[str]:
    """Find integrations that are imported, and may not be there."""
    declared = {
        *manifest.get("dependencies", []),
        *manifest.get("after_dependencies", []),
    }
    for path in modules(COMPONENT):
        for _, name in imports(parse(path)):
            if found := re.match(r"homeassistant\.components\.(\w+)", name):
                yield from {found[1]} - declared - ALWAYS_THERE


MANIFEST_RULES: dict[Rule, Document] = {
    unknown_or_missing: {"homepage": "https://example.com"},
    unclassified: {"iot_class": "local", "integration_type": "service"},
    claimed: {"documentation": "https://www.home-assistant.io/integrations/clawd"},
    unversioned: {"version": "one"},
    unowned: {"codeowners": ["somebody"]},
    unbounded: {"requirements": ["websockets"]},
    undiscoverable: {"zeroconf": ["_openclaw-gw._tcp"]},
    undeclared: {"dependencies": []},
}


def unselectable(actions: Document) -> Iterator[str]:
    """Find fields with a key or a selector that does not exist."""
    for action in actions.values():
        for name, field in action.get("fields", {}).items():
            yield from field.keys() - FIELD_KEYS
            try:
                validate_selector(field.get("selector"))
            except vol.Invalid:
                yield name


def untranslated(actions: Document) -> Iterator[str]:
    """Find choices whose texts are not there."""
    texts = read_json(COMPONENT / "translations" / "en.json")["selector"]
    for action in actions.values():
        for field in action.get("fields", {}).values():
            select = field["selector"].get("select") or {}
            if (key := select.get("translation_key")) and key not in texts:
                yield key


ACTION_RULES: dict[Rule, Document] = {
    unselectable: {"a": {"fields": {"b": {"selector": {"nothing": None}}}}},
    untranslated: {
        "a": {"fields": {"b": {"selector": {"select": {"translation_key": "c"}}}}}
    },
}


def _leaves(icons: Document) -> Iterator[str]:
    for value in icons.values():
        if isinstance(value, dict):
            yield from _leaves(value)
        else:
            yield value


def unpainted(icons: Document) -> Iterator[str]:
    """Find icons that are not of Material Design Icons."""
    return (icon for icon in _leaves(icons) if not ICON.fullmatch(icon))


def misplaced(icons: Document) -> Iterator[str]:
    """Find keys at which Home Assistant does not look for an icon."""
    yield from icons.keys() - {"entity", "services"}
    for keys in icons.get("entity", {}).values():
        for icon in keys.values():
            yield from icon.keys() - {"default", "state", "state_attributes"}
    for icon in icons.get("services", {}).values():
        yield from icon.keys() - {"service", "sections"}


def repeated(icons: Document) -> Iterator[str]:
    """Find states that have the icon that they would have anyway."""
    for keys in icons.get("entity", {}).values():
        for key, icon in keys.items():
            if icon.get("default") in icon.get("state", {}).values():
                yield key


ICON_RULES: dict[Rule, Document] = {
    unpainted: {"services": {"a": {"service": "fa:robot"}}},
    misplaced: {"services": {"a": {"default": "mdi:robot"}}},
    repeated: {
        "entity": {"sensor": {"a": {"default": "mdi:a", "state": {"b": "mdi:a"}}}}
    },
}


FILES: list[tuple[Document, dict[Rule, Document]]] = [
    (read_json(COMPONENT / "manifest.json"), MANIFEST_RULES),
    (load_yaml_dict(str(COMPONENT / "services.yaml")), ACTION_RULES),
    (read_json(COMPONENT / "icons.json"), ICON_RULES),
]


@pytest.mark.parametrize(
    ("rule", "document"),
    [
        pytest.param(rule, document, id=rule.__name__)
        for document, rules in FILES
        for rule in rules
    ],
)
def test_a_file_breaks_no_rule(rule: Rule, document: Document) -> None:
    assert not list(rule(document))


@pytest.mark.parametrize(
    ("rule", "example"),
    [
        pytest.param(rule, example, id=rule.__name__)
        for _, rules in FILES
        for rule, example in rules.items()
    ],
)
def test_a_bad_example_of_each_rule_is_caught(rule: Rule, example: Document) -> None:
    assert list(rule(example))
