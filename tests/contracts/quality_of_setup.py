"""What contradicts the rules on set-up, actions and dependencies."""

import ast
from collections.abc import Iterator
import re
import tomllib

from .component import PYPROJECT, Component, calls
from .quality_scale import rule
from .sources import dotted, imports

PACKAGED = re.compile(r"[a-z0-9-]+(>=|==|~=)[0-9.]+")


def _identifiers(tree: ast.AST) -> set[str]:
    """Return the names of variables, attributes, functions and keywords."""
    fields = ("id", "attr", "name", "arg")
    nodes = list(ast.walk(tree))
    return {str(getattr(node, field, "")) for node in nodes for field in fields}


@rule(
    "action-setup",
    {"__init__.py": "def async_setup_entry(): async_setup_services()"},
    {"c.py": "def async_added(self): hass.services.async_register('a', 'b')"},
)
def actions_of_entries(component: Component) -> Iterator[str]:
    """Find actions that come and go with an entry."""
    registers = ("async_setup_services", "services.async_register", "_admin_service")
    for call in component.calls:
        once = {"async_setup", "async_setup_services"} & set(call.inside)
        if call.name.endswith(registers) and not once:
            yield call.name


@rule(
    "appropriate-polling",
    {"c.py": "C(update_interval=timedelta(minutes=1))"},
    {"c.py": "async_track_time_interval(hass, look, MINUTE)"},
    {"c.py": "SCAN_INTERVAL = MINUTE"},
    {"c.py": "async def async_update(self): ..."},
)
def polling(component: Component) -> Iterator[str]:
    """Find what asks again and again."""
    names = {"update_interval", "async_track_time_interval"}
    names |= {"SCAN_INTERVAL", "_attr_should_poll", "should_poll"}
    names |= {"async_update", "_async_update_data"}
    for path, tree in component.glue.items():
        yield from (f"{path}: {name}" for name in names & _identifiers(tree))


@rule(
    "dependency-transparency",
    {"manifest.json": '{"requirements": ["a @ git+https://example.com/a"]}'},
)
def opaque_requirements(component: Component) -> Iterator[str]:
    """Find requirements that are no package of PyPI with a version."""
    for requirement in component.json("manifest.json").get("requirements", []):
        if not PACKAGED.fullmatch(requirement):
            yield requirement


@rule("docs-conditions", {"conditions.yaml": ""})
def conditions(component: Component) -> Iterator[str]:
    """Find conditions, which would have to be documented."""
    yield from {"condition.py", "conditions.yaml"} & component.files.keys()


@rule("docs-triggers", {"triggers.yaml": ""})
def triggers(component: Component) -> Iterator[str]:
    """Find triggers, which would have to be documented."""
    yield from {"trigger.py", "triggers.yaml"} & component.files.keys()


@rule(
    "runtime-data",
    {"__init__.py": "entry.runtime_data = 1\nhass.data[DOMAIN] = {}"},
    {"__init__.py": "entry.runtime_data = 1\nhass.data.setdefault(DOMAIN, {})"},
    {"__init__.py": ""},
)
def data_elsewhere(component: Component) -> Iterator[str]:
    """Find what is kept in `hass.data`, and a set-up without runtime data."""
    for path, tree in component.glue.items():
        yield from (f"{path}: {name}" for name in _kept(tree) if name == "hass.data")
    if "entry.runtime_data = " not in component.files.get("__init__.py", ""):
        yield "entry.runtime_data"


def _kept(tree: ast.AST) -> Iterator[str]:
    """Yield the names of the mappings into which something is put."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=mapping, ctx=ast.Store()):
                yield dotted(mapping)
            case ast.Call(func=ast.Attribute(value=mapping, attr="setdefault")):
                yield dotted(mapping)


@rule(
    "test-before-setup",
    {
        "__init__.py": "async def async_setup_entry():\n"
        "    await hass.config_entries.async_forward_entry_setups()\n"
        "    await coordinator.async_connect()",
        "errors.py": "ConfigEntryNotReady, ConfigEntryAuthFailed, ConfigEntryError",
    },
    {
        "__init__.py": "async def async_setup_entry():\n"
        "    await coordinator.async_connect()\n"
        "    await hass.config_entries.async_forward_entry_setups()",
        "errors.py": "ConfigEntryNotReady, ConfigEntryError",
    },
)
def untested_setup(component: Component) -> Iterator[str]:
    """Find platforms that are set up before there is a connection."""
    order = [
        call.name.rpartition(".")[2]
        for call in calls(component.module("__init__.py"))
        if "async_setup_entry" in call.inside
    ]
    if "async_connect" not in order[: order.index("async_forward_entry_setups")]:
        yield "async_connect"
    raised = {"ConfigEntryNotReady", "ConfigEntryAuthFailed", "ConfigEntryError"}
    yield from raised.difference(*map(_identifiers, component.glue.values()))


@rule(
    "action-exceptions",
    {"services.py": "raise ValueError('no such entry')"},
    {"services.py": "try:\n f()\nexcept ValueError:\n raise"},
)
def foreign_errors(component: Component) -> Iterator[str]:
    """Find errors of actions that Home Assistant cannot show."""
    shown = ("HomeAssistantError", "ServiceValidationError", "action_error")
    for path in ("services.py", "button.py", "selftest/runner.py"):
        for raised in _raised(component.module(path)):
            if not raised.startswith(shown):
                yield f"{path}: {raised}"


def _raised(tree: ast.AST) -> Iterator[str]:
    """Return what is raised, and what a handler has caught and passes on."""
    for node in ast.walk(tree):
        match node:
            case ast.Raise(exc=ast.expr() as error):
                yield ast.unparse(error)
            case ast.ExceptHandler(type=caught) if any(
                isinstance(x, ast.Raise) and x.exc is None for x in ast.walk(node)
            ):
                yield ast.unparse(caught) if caught else "everything"


@rule("config-entry-unloading", {})
def no_unloading(component: Component) -> Iterator[str]:
    """Find that an entry cannot be unloaded."""
    yield from component.without("async_unload_entry")


@rule("integration-owner", {"manifest.json": '{"codeowners": []}'})
def no_owner(component: Component) -> Iterator[str]:
    """Find that nobody looks after the integration."""
    if not component.json("manifest.json").get("codeowners"):
        yield "codeowners"


@rule("diagnostics", {})
def no_diagnostics(component: Component) -> Iterator[str]:
    """Find that there are no diagnostics."""
    yield from component.without("async_get_config_entry_diagnostics")


@rule("repair-issues", {"c.py": "def async_create_issue(): ..."})
def no_repairs(component: Component) -> Iterator[str]:
    """Find that no issue can be repaired."""
    yield from component.without("async_create_issue", "async_create_fix_flow")


@rule(
    "async-dependency",
    {"gateway/client.py": "import requests"},
    {"gateway/client.py": "time.sleep(1)"},
)
def blocking_client(component: Component) -> Iterator[str]:
    """Find what blocks the event loop."""
    blocking = {"http.client", "requests", "threading", "urllib.request"}
    for path, tree in component.client.items():
        yield from (f"{path}: {name}" for _, name in imports(tree) if name in blocking)
        yield from (call.name for call in calls(tree) if call.name == "time.sleep")


@rule("inject-websession", {"c.py": "from aiohttp import ClientSession"})
def websessions(component: Component) -> Iterator[str]:
    """Find HTTP sessions, which would have to be Home Assistant's."""
    for path, tree in {**component.glue, **component.client}.items():
        for _, name in imports(tree):
            if name.partition(".")[0] in {"aiohttp", "httpx", "requests"}:
                yield f"{path}: {name}"


@rule(
    "strict-typing",
    {PYPROJECT: "[tool.mypy]\nfiles = ['custom_components']"},
    {PYPROJECT: "[tool.mypy]\nstrict = true\nfiles = ['tests']"},
    {
        PYPROJECT: "[tool.mypy]\nstrict = true\nfiles = ['custom_components']",
        "c.py": "x = y  # type: ignore",
    },
)
def loose_typing(component: Component) -> Iterator[str]:
    """Find what the types are not checked of."""
    mypy = tomllib.loads(component.files[PYPROJECT])["tool"]["mypy"]
    if not mypy.get("strict") or "custom_components" not in mypy.get("files", []):
        yield "strict"
    for path, text in component.files.items():
        if path.endswith(".py") and "# type: ignore" in text:
            yield path
