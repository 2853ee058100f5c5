"""Known pitfalls of asynchronous tests.

| pitfall | held by |
| --- | --- |
| a fixture in another loop | `shared_async_fixtures`, `shared_loops` |
| an assertion before the task ran | `sleeps` |
| a double that is too simple | `chances`, `doubles_of_sockets` |
| something left behind | `tests/leak_guard.py`, `lingering` |
| a real timeout | `sleeps`, `--timeout` in `scripts/test` |
| a mock of asyncio | `doubles_of_asyncio`, `mocks_of_asyncio` |
| an order that is not asserted | `any_event` |
| private attributes | ruff's SLF001, `unexplained_privacy`, `private_imports` |
| Home Assistant in unit tests | the last test here |
| markers and modules of old advice | `asyncio_markers`, `absent_helpers` |
| a test that asserts only on the log | `only_logs` |
"""

import ast
from collections.abc import Callable, Iterator
import re

import pytest

from .sources import ROOT, dotted, imports, modules, nodes, parse

TESTS = ROOT / "tests"
LAYERS = [
    TESTS / name
    for name in (
        "unit",
        "stateful",
        "ha",
        "contracts",
        "gateway_e2e",
        "browser_e2e",
        "ha_e2e",
    )
]
SOURCES = [path for layer in LAYERS for path in modules(layer)]

# These pace a model, a network or a loudspeaker, or wait for a process: they are not
# tests.
MAY_SLEEP = {
    *("model.py", "relay.py", "gateways.py", "editions.py", "install.py"),
    *("assist_satellite.py", "waiting.py"),
}

type Rule = Callable[[ast.AST], Iterator[str]]


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in nodes(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def sleeps(tree: ast.AST) -> Iterator[str]:
    """Find sleeps other than `sleep(0)`."""
    for name, call in _calls(tree):
        zero = [ast.unparse(argument) for argument in call.args] == ["0"]
        if name in {"asyncio.sleep", "time.sleep", "sleep"} and not zero:
            yield name


def chances(tree: ast.AST) -> Iterator[str]:
    """Find uses of `random`."""
    yield from (name for _, name in imports(tree) if name == "random")


def doubles_of_asyncio(tree: ast.AST) -> Iterator[str]:
    """Find patches of asyncio, by name or by object."""
    for name, call in _calls(tree):
        if name.endswith(("setattr", "patch", "patch.object")) and call.args:
            target = ast.unparse(call.args[0]).strip("'\"")
            if target.partition(".")[0] == "asyncio":
                yield f"{name}({target})"


def shared_async_fixtures(tree: ast.AST) -> Iterator[str]:
    """Find async fixtures that run in another loop."""
    for node in nodes(tree):
        if isinstance(node, ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if "fixture" in (text := ast.unparse(decorator)) and "scope=" in text:
                    yield node.name


def asyncio_markers(tree: ast.AST) -> Iterator[str]:
    """Find markers that `asyncio_mode = auto` makes redundant."""
    for node in nodes(tree):
        match node:
            case ast.Attribute(value=marker, attr="asyncio"):
                if dotted(marker).endswith("mark"):
                    yield dotted(node)


def lingering(tree: ast.AST) -> Iterator[str]:
    """Find fixtures that permit lingering tasks or timers."""
    for node in nodes(tree):
        names = [node.name] if isinstance(node, ast.FunctionDef) else []
        names += [node.arg] if isinstance(node, ast.arg) else []
        yield from (name for name in names if name.startswith("expected_lingering"))


def doubles_of_sockets(tree: ast.AST) -> Iterator[str]:
    """Find doubles of sockets and stubs of modules."""
    for name, call in _calls(tree):
        if name.endswith(("setattr", "setitem", "patch", "patch.object", "patch.dict")):
            words = [ast.unparse(argument).strip("'\"") for argument in call.args[:2]]
            target = ".".join(words)
            if target.startswith(("socket.socket", "websockets", "sys.modules")):
                yield f"{name}({target})"


def mocks_of_asyncio(tree: ast.AST) -> Iterator[str]:
    """Find mocks with an asyncio spec."""
    for name, call in _calls(tree):
        specs = [*call.args, *(keyword.value for keyword in call.keywords)]
        if name.endswith(("Mock", "create_autospec")):
            yield from (
                dotted(spec) for spec in specs if dotted(spec).startswith("asyncio.")
            )


def any_event(tree: ast.AST) -> Iterator[str]:
    """Find assertions that ignore the order of events."""
    for node in nodes(tree):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Call):
            text = ast.unparse(node.test)
            if text.startswith("any(") and ("event" in text or "frame" in text):
                yield text


def private_imports(tree: ast.AST) -> Iterator[str]:
    """Find imports of private names."""
    for node in nodes(tree):
        if isinstance(node, ast.ImportFrom):
            names = (alias.name for alias in node.names)
            yield from (name for name in names if name.startswith("_"))


def absent_helpers(tree: ast.AST) -> Iterator[str]:
    """Find imports of `homeassistant.helpers.testing`, which does not exist."""
    for _, name in imports(tree):
        if name.startswith("homeassistant.helpers.testing"):
            yield name


def shared_loops(tree: ast.AST) -> Iterator[str]:
    """Find event loops with a scope."""
    for name, call in _calls(tree):
        if any(keyword.arg == "loop_scope" for keyword in call.keywords):
            yield name


def only_logs(tree: ast.AST) -> Iterator[str]:
    """Find tests that assert only on the log.

    Two log facts are contracts: logged once, and never logged.
    """
    for node in nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if "caplog" not in {argument.arg for argument in node.args.args}:
                continue
            asserted = [
                ast.unparse(inner.test)
                for inner in nodes(node)
                if isinstance(inner, ast.Assert)
            ]
            logs = ["caplog" in text for text in asserted]
            contracts = [" not in " in text or ".count(" in text for text in asserted]
            if asserted and all(logs) and not any(contracts):
                yield node.name


RULES: dict[Rule, str] = {
    sleeps: "await asyncio.sleep(0.1)",
    chances: "import random",
    doubles_of_asyncio: "monkeypatch.setattr(asyncio, 'sleep', fake)",
    shared_async_fixtures: "@pytest.fixture(scope='module')\nasync def x(): ...",
    asyncio_markers: "@pytest.mark.asyncio\nasync def test_x(): ...",
    doubles_of_sockets: "monkeypatch.setitem(sys.modules, 'websockets', fake)",
    mocks_of_asyncio: "AsyncMock(spec=asyncio.StreamReader)",
    any_event: "assert any(event.kind == 'end' for event in events)",
    private_imports: "from .client import _pending",
    absent_helpers: "from homeassistant.helpers.testing import wait",
    shared_loops: "@pytest.fixture(loop_scope='module')\nasync def x(): ...",
    only_logs: "def test_x(caplog):\n    assert 'lost' in caplog.text",
    lingering: "def expected_lingering_tasks(): ...",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tests_break_no_rule(rule: Rule) -> None:
    found = {
        str(path.relative_to(TESTS)): list(rule(parse(path)))
        for path in SOURCES
        if not (rule is sleeps and path.name in MAY_SLEEP)
    }
    assert not {name: uses for name, uses in found.items() if uses}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_bad_example_of_each_rule_is_caught(rule: Rule) -> None:
    assert list(rule(ast.parse(RULES[rule])))
    assert not list(rule(ast.parse("await asyncio.sleep(0)")))


def unexplained_privacy(text: str) -> list[str]:
    """Find private attributes that are used without a reason."""
    waivers = re.findall(r"noqa:[^#\n]*SLF001[^#\n]*", text)
    return [waiver for waiver in waivers if not re.search(r"SLF001 - \w+", waiver)]


def test_a_private_attribute_is_used_for_a_reason() -> None:
    found = {
        path.name: unexplained_privacy(path.read_text("utf-8")) for path in SOURCES
    }
    assert not {name: waivers for name, waivers in found.items() if waivers}


@pytest.mark.parametrize("codes", ["SLF" + "001", "E501, SLF" + "001", "SLF" + "001 -"])
def test_a_private_attribute_without_a_reason_is_caught(codes: str) -> None:
    assert unexplained_privacy(f"client._pending  # noqa: {codes}")
    assert not unexplained_privacy(f"a._b  # noqa: {codes.rstrip(' -')} - not public")


def test_the_unit_layer_does_not_import_home_assistant() -> None:
    users = [
        path.name
        for path in modules(TESTS / "unit")
        for _, name in imports(parse(path))
        if name.partition(".")[0] == "homeassistant"
    ]
    assert users == []
