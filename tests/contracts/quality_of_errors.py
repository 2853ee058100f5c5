"""Quality scale rules on exceptions and texts."""

import ast
from collections.abc import Iterator
import json
import re

from .component import Call, Component
from .quality_scale import rule
from .sources import nodes

OF_HOME_ASSISTANT = {
    "ConfigEntryAuthFailed",
    "ConfigEntryError",
    "ConfigEntryNotReady",
    "HomeAssistantError",
    "ServiceValidationError",
}
SHOWN = {"HomeAssistantError", "ServiceValidationError", "Unauthorized"}
ACTIONS = ("actions/", "services.py", "button.py", "selftest/runner.py")
TABLE = "error_mapping.py"
PLACEHOLDER = re.compile(r"\{(\w+)\}")

RAISED = "raise HomeAssistantError(translation_domain=DOMAIN, translation_key='a'{})"
TEXTS = json.dumps({"exceptions": {"a": {"message": "{name} is away"}}})


@rule(
    "action-exceptions",
    {"services.py": "raise ValueError('no such entry')"},
    {"actions/ask.py": "raise errors.NotConnectedError('no connection')"},
)
def foreign_errors(component: Component) -> Iterator[str]:
    """Find action errors that Home Assistant cannot show."""
    for path, tree in component.glue.items():
        if path.startswith(ACTIONS):
            for node in nodes(tree):
                match node:
                    case ast.Raise(exc=ast.Call(func=function)):
                        name = ast.unparse(function).rpartition(".")[2]
                        # A function such as `action_error` makes one of the two.
                        if name[0].isupper() and name not in SHOWN:
                            yield f"{path}: {name}"


@rule(
    "exception-translations",
    {"c.py": "raise HomeAssistantError('away')"},
    {"c.py": "raise HomeAssistantError"},
    {"c.py": RAISED.format("")},
    {"c.py": RAISED.format(""), "translations/en.json": TEXTS},
    {
        "c.py": RAISED.format(", translation_placeholders={'title': 'x'}"),
        "translations/en.json": TEXTS,
    },
    {TABLE: "_KEYS = {GatewayError: 'a'}", "translations/en.json": TEXTS},
)
def untranslated(component: Component) -> Iterator[str]:
    """Find exceptions without a text, or with wrong placeholders."""
    messages = component.json("translations/en.json").get("exceptions", {})
    for call in component.calls:
        if call.name in OF_HOME_ASSISTANT:
            yield from _wrong(call, messages)
    for path, tree in component.glue.items():
        for node in nodes(tree):
            match node:
                case ast.Raise(exc=ast.Name(id=name)) if name in OF_HOME_ASSISTANT:
                    yield f"{path}: {name}"
    yield from _wrong_in_table(component, messages)


def _wrong(call: Call, messages: dict[str, dict[str, str]]) -> Iterator[str]:
    """Yield a wrong construction of an exception."""
    keywords = call.keywords
    key = keywords.get("translation_key")
    if key is None or "translation_domain" not in keywords or call.node.args:
        yield ast.unparse(call.node)
    elif isinstance(key, ast.Constant):
        message = messages.get(str(key.value), {}).get("message")
        given = _given(keywords.get("translation_placeholders"))
        if message is None or given not in (None, _wanted(message)):
            yield str(key.value)


def _wrong_in_table(
    component: Component, messages: dict[str, dict[str, str]]
) -> Iterator[str]:
    """Yield keys whose text has another placeholder than `code`."""
    for node in ast.walk(component.module(TABLE)):
        match node:
            case ast.Dict(keys=[ast.Name(), *_], values=values):
                keys = {str(ast.literal_eval(value)) for value in values}
                texts = {key: messages.get(key, {}).get("message") for key in keys}
                yield from (
                    key
                    for key, text in texts.items()
                    if text is None or not _wanted(text) <= {"code"}
                )


def _wanted(message: str) -> set[str]:
    return set(PLACEHOLDER.findall(message))


def _given(placeholders: ast.expr | None) -> set[str] | None:
    """Return the names of the placeholders; None if they are computed."""
    match placeholders:
        case None:
            return set()
        case ast.Dict(keys=keys) if all(isinstance(key, ast.Constant) for key in keys):
            return {str(ast.literal_eval(key)) for key in keys if key}
        case _:
            return None
