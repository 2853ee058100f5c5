"""Layers of the component's modules."""

import ast
import subprocess
import sys

import pytest

from .import_graph import (
    Layers,
    Sources,
    component_sources,
    cycles,
    internal_imports,
    wrong_imports,
)
from .sources import COMPONENT, GATEWAY, imports, modules, nodes, parse

COMPONENT_LAYERS = Layers(
    folder="",
    lines=(
        "gateway",
        "const",
        "error_mapping redaction sentences storage client_factory",
        "util",
        "reports",
        "runtime",
        "coordinator",
        "device_automation",
        "assist flows home issues diagnostics_data",
        "selftest",
        "actions",
        "entity",
        "*",  # platforms, migration and the rest that Home Assistant looks up by name
        "__init__",
    ),
    pairs=(
        "client_factory -> storage",
        "diagnostics_data -> assist",  # session scopes, counts of warm-ups
        "flows -> assist",  # the form of an agent validates its session key
        "assist -> home",  # prompt and origin of a run
        "flows -> home",  # settings of an agent on the home
        "diagnostics_data -> home",  # counters of calls
        "home -> issues",  # a refused call
    ),
)
GATEWAY_LAYERS = Layers(
    folder="gateway",
    lines=(
        "headers payload",
        "exceptions endpoint identity sleep_detector statistics tasks tracebacks",
        "models run_result setup_link events",
        "backoff credentials",
        "state",
        "protocol",
        "commands",
        "runs",
        "connect_profile",
        "history media",
        "scope_upgrade",
        "reconnect",
        "probe introspection client node",
        "__init__",
    ),
    pairs=(
        "client -> introspection",
        "client -> probe",
        "node -> client",
        "run_result -> models",
    ),
)
MAX_TOP_FILES = 30

IMPORT_BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "homeassistant":
            raise ImportError(name)

sys.meta_path.insert(0, Blocker())
sys.path.insert(0, sys.argv[1])
import gateway
print(gateway.GatewayClient.__name__)
"""
GLUE = [path for path in modules(COMPONENT) if GATEWAY not in path.parents]
SOURCES = component_sources()


def unplaced(layers: Layers, sources: Sources) -> set[str]:
    """Return the modules and packages without a layer."""
    prefix = f"{layers.folder}." if layers.folder else ""
    inside = (name.removeprefix(prefix) for name in sources if name.startswith(prefix))
    names = {name.partition(".")[0] for name in inside}
    return {name for name in names if layers.line(name) is None}


def top_files(sources: Sources) -> list[str]:
    """Return the modules at the top of the component."""
    return [name for name in sources if "." not in name]


def foreign_imports(tree: ast.AST) -> list[str]:
    """Return the absolute imports that the gateway package must not have."""
    names = (name for level, name in imports(tree) if not level)
    return [
        name
        for name in names
        if name.partition(".")[0] in {"homeassistant", "custom_components"}
    ]


def private_uses(tree: ast.AST) -> list[str]:
    """Return the private attributes of other objects than `self`."""
    return [
        ast.unparse(node)
        for node in nodes(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith(("__", "_attr_", "_async_"))
        and ast.unparse(node.value) not in {"self", "cls", "super()"}
    ]


@pytest.mark.parametrize("layers", [COMPONENT_LAYERS, GATEWAY_LAYERS])
def test_imports_follow_the_layers(layers: Layers) -> None:
    assert unplaced(layers, SOURCES) == set()
    assert wrong_imports(layers, SOURCES) == []


def test_there_are_no_import_cycles() -> None:
    assert cycles(SOURCES) == []


def test_the_top_of_the_component_is_small() -> None:
    assert len(top_files(SOURCES)) <= MAX_TOP_FILES


def test_the_gateway_package_does_not_import_home_assistant() -> None:
    found = {path.name: foreign_imports(parse(path)) for path in modules(GATEWAY)}
    assert not {name: uses for name, uses in found.items() if uses}


def test_the_gateway_package_works_without_home_assistant() -> None:
    found = subprocess.run(
        [sys.executable, "-c", IMPORT_BLOCKER, str(COMPONENT)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.strip() == "GatewayClient"


def test_glue_uses_no_private_attribute() -> None:
    found = {path.name: private_uses(parse(path)) for path in GLUE}
    assert not {name: uses for name, uses in found.items() if uses}


# Importer, statement, imported module.
BAD_IMPORTS = {
    COMPONENT_LAYERS: [
        ("gateway.client", "from ..const import DOMAIN", "const"),
        ("gateway.runs.run", "from ... import const", "const"),
        ("storage", "from .redaction import redact", "redaction"),
        ("reports", "from .coordinator import ClawdCoordinator", "coordinator"),
        ("coordinator", "from . import issues", "issues"),
        ("issues", "from custom_components.clawd.selftest import run", "selftest.run"),
        ("issues", "import custom_components.clawd.selftest", "selftest.__init__"),
        ("home.tools", "from ..assist.ask import async_ask", "assist.ask"),
        ("selftest.runner", "from ..actions import self_test", "actions.self_test"),
        ("actions.ask", "from ..conversation import Agent", "conversation"),
        ("button", "from .services import async_call", "services"),
        ("sensor", "from . import ClawdConfigEntry", "__init__"),
        (
            "coordinator",
            "if TYPE_CHECKING:\n    from .selftest.model import Check",
            "selftest.model",
        ),
        (
            "flows.options",
            "def schema():\n    from ..selftest.schedule import Schedule",
            "selftest.schedule",
        ),
    ],
    GATEWAY_LAYERS: [
        (
            "gateway.endpoint",
            "from .identity import DeviceIdentity",
            "gateway.identity",
        ),
        (
            "gateway.models",
            "from .protocol.frames import Json",
            "gateway.protocol.frames",
        ),
        ("gateway.commands.agents", "from ..runs.run import Run", "gateway.runs.run"),
        ("gateway.probe", "from .client import GatewayClient", "gateway.client"),
        ("gateway.runs.run", "from .. import GatewayError", "gateway.__init__"),
        (
            "gateway.unknown",
            "from .exceptions import GatewayError",
            "gateway.exceptions",
        ),
    ],
}


@pytest.mark.parametrize(
    ("layers", "importer", "statement", "imported"),
    [(layers, *bad) for layers, examples in BAD_IMPORTS.items() for bad in examples],
)
def test_a_wrong_import_is_caught(
    layers: Layers, importer: str, statement: str, imported: str
) -> None:
    sources = {importer: statement, imported: ""}
    assert wrong_imports(layers, sources) == [f"{importer} imports {imported}"]


def test_a_right_import_is_allowed() -> None:
    sources = {
        "__init__": "from . import migration\nfrom .const import DOMAIN",
        "migration": "from .flows.unique_id import unique_id",
        "const": "",
        "coordinator": "from .reports import Report\nfrom .gateway import client",
        "reports": "import json",
        "sensor": "from .entity import ClawdEntity",
        "entity": "from .coordinator import ClawdCoordinator",
        "flows.unique_id": "from .address import parse",
        "flows.address": "from ..const import DOMAIN",
        "gateway.__init__": "from .client import GatewayClient",
        "gateway.client": "from .probe import probe\nfrom .commands import agents",
        "gateway.probe": "from .commands.agents import AgentList",
        "gateway.commands.agents": "from ..protocol.frames import Request",
        "gateway.protocol.frames": "from ..exceptions import InvalidFrameError",
        "gateway.exceptions": "",
    }
    assert wrong_imports(COMPONENT_LAYERS, sources) == []
    assert wrong_imports(GATEWAY_LAYERS, sources) == []
    assert cycles(sources) == []


def test_a_module_without_a_layer_is_caught() -> None:
    sources = {"gateway.client": "", "gateway.other.deep": "", "anything": ""}
    assert unplaced(GATEWAY_LAYERS, sources) == {"other"}
    assert unplaced(COMPONENT_LAYERS, sources) == set()


CYCLES: dict[str, Sources] = {
    "modules": {
        "storage": "from .redaction import redact",
        "redaction": "from . import storage",
    },
    "type checking": {
        "gateway.runs.run": "from .text import ReplyText",
        "gateway.runs.text": "from .tools import ToolStep",
        "gateway.runs.tools": "if TYPE_CHECKING:\n    from .run import AgentRun",
    },
    "packages": {
        "assist.ask": "from ..home.tools import async_get_tools",
        "assist.prompt": "",
        "home.exposure": "from ..assist.prompt import async_render",
        "home.tools": "",
    },
    "package and module": {
        "gateway.__init__": "from .client import GatewayClient",
        "gateway.client": "from . import GatewayError",
    },
}


@pytest.mark.parametrize("sources", CYCLES.values(), ids=CYCLES.keys())
def test_a_cycle_is_caught(sources: Sources) -> None:
    [cycle] = cycles(sources)
    assert sorted(cycle.split(", ")) == sorted(map(str, internal_imports(sources)))


def test_a_top_file_too_many_is_caught() -> None:
    sources = {f"module_{number}": "" for number in range(MAX_TOP_FILES + 1)}
    assert len(top_files({**sources, "gateway.client": ""})) > MAX_TOP_FILES


def test_other_bad_examples_are_caught() -> None:
    assert foreign_imports(ast.parse("from homeassistant.core import HomeAssistant"))
    assert foreign_imports(ast.parse("import custom_components.clawd.const"))
    assert not foreign_imports(ast.parse("import orjson\nfrom .frames import Event"))
    assert private_uses(ast.parse("client._connection"))
    assert not private_uses(ast.parse("self._client, super()._client"))
