"""What contradicts the rule on the texts of exceptions."""

import ast
from collections.abc import Iterator
import json
import re

from .component import Call, Component
from .quality_scale import rule

OF_HOME_ASSISTANT = {
    "ConfigEntryAuthFailed",
    "ConfigEntryError",
    "ConfigEntryNotReady",
    "HomeAssistantError",
    "ServiceValidationError",
}
TABLE = "errors.py"
PLACEHOLDER = re.compile(r"\{(\w+)\}")

RAISED = "raise HomeAssistantError(translation_domain=DOMAIN, translation_key='a'{})"
TEXTS = json.dumps({"exceptions": {"a": {"message": "{name} is away"}}})


@rule(
    "exception-translations",
    {"c.py": "raise HomeAssistantError('away')"},
    {"c.py": "raise HomeAssistantError"},
    {"c.py": RAISED.format("")},
    {
        "c.py": RAISED.format(", translation_placeholders={'title': 'x'}"),
        "translations/en.json": TEXTS,
    },
    {TABLE: "_KEYS = {GatewayError: 'a'}", "translations/en.json": TEXTS},
)
def untranslated(component: Component) -> Iterator[str]:
    """Find exceptions whose text is missing or wants what they do not give."""
    messages = component.json("translations/en.json").get("exceptions", {})
    for call in component.calls:
        if call.name in OF_HOME_ASSISTANT:
            yield from _wrong(call, messages)
    for path, tree in component.glue.items():
        for node in ast.walk(tree):
            match node:
                case ast.Raise(exc=ast.Name(id=name)) if name in OF_HOME_ASSISTANT:
                    yield f"{path}: {name}"
    yield from _wrong_in_table(component, messages)


def _wrong(call: Call, messages: dict[str, dict[str, str]]) -> Iterator[str]:
    """Yield what is wrong with the making of an exception."""
    given = call.keywords
    key = given.get("translation_key")
    if key is None or "translation_domain" not in given or call.node.args:
        yield ast.unparse(call.node)
    elif isinstance(key, ast.Constant):
        message = messages.get(str(key.value), {}).get("message")
        if message is None or _wanted(message) != _given(given):
            yield str(key.value)


def _wrong_in_table(
    component: Component, messages: dict[str, dict[str, str]]
) -> Iterator[str]:
    """Yield the keys of the client's errors with other texts than a code's."""
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


def _given(keywords: dict[str | None, ast.expr]) -> set[str]:
    placeholders = keywords.get("translation_placeholders")
    if not isinstance(placeholders, ast.Dict):
        return set()
    return {str(ast.literal_eval(key)) for key in placeholders.keys if key}
