"""Tables of the settings."""

from collections.abc import Iterator
from typing import Any, Final, cast

from homeassistant.const import CONF_MODEL
from homeassistant.helpers import config_validation as cv
import probatio
import voluptuous as vol

from custom_components.clawd.const import CONF_AGENT, CONF_THINKING
from custom_components.clawd.flows.address_form import ADDRESS_SCHEMA
from custom_components.clawd.flows.agent_schema import agent_schema, settings_schema
from custom_components.clawd.flows.ai_task import ai_task_schema
from custom_components.clawd.flows.options import OPTIONS_SCHEMA
from scripts.translations import Texts

from .blocks import Blocks, DocumentationError, table

AGENT: Final = "config_subentries.conversation.step"
AI_TASK: Final = "config_subentries.ai_task_data.step"

# Defaults that the Gateway knows, not the form.
DEFAULTS: Final = {
    CONF_AGENT: "the Gateway's default",
    CONF_MODEL: "the agent's own",
    CONF_THINKING: "the agent's own",
}

type Field = dict[str, Any]


def settings_page(texts: Texts) -> Blocks:
    """Return the blocks of docs/settings.md."""
    # A stored model and a level make the form show its optional fields.
    agent = agent_schema((), (), {CONF_MODEL: "any"}, "")
    settings = settings_schema({"any": "any"}, {"assist": "Assist"})
    return {
        "setup": table(
            ("field", "description"),
            [row[::2] for row in _rows(texts, "config.step.user", ADDRESS_SCHEMA)],
        ),
        "options": table(
            ("option", "default", "description"),
            _rows(texts, "options.step.init", OPTIONS_SCHEMA),
        ),
        "agent": table(
            ("setting", "default", "description"),
            [
                *_rows(texts, f"{AGENT}.user", agent),
                *_rows(texts, f"{AGENT}.settings", settings),
            ],
        ),
        "ai-task": table(
            ("setting", "default", "description"),
            [
                *_rows(texts, f"{AI_TASK}.user", agent),
                *_rows(texts, f"{AI_TASK}.settings", ai_task_schema({"any": "any"})),
            ],
        ),
    }


def _rows(
    texts: Texts, step: str, schema: vol.Schema
) -> Iterator[tuple[str, str, str]]:
    """Yield label, default and description of each field."""
    # As Home Assistant describes a form to the frontend.
    fields = probatio.to_field_list(schema, custom_serializer=cv.custom_serializer)
    for field in cast("list[Field]", fields):
        if field.get("type") == "expandable":
            section = f"{step}.sections.{field['name']}"
            yield from (_row(texts, section, inner) for inner in field["schema"])
        else:
            yield _row(texts, step, field)


def _row(texts: Texts, step: str, field: Field) -> tuple[str, str, str]:
    name = field["name"]
    return (
        _text(texts, f"{step}.data.{name}"),
        _default(texts, field),
        _text(texts, f"{step}.data_description.{name}"),
    )


def _default(texts: Texts, field: Field) -> str:
    """Return a default as the form shows it."""
    default, selector = field.get("default"), field.get("selector", {})
    match selector, default:
        case _, None | "":
            return DEFAULTS.get(field["name"], "none")
        case _, bool():
            return "on" if default else "off"
        case {"select": {"translation_key": key}}, _:
            return _text(texts, f"selector.{key}.options.{default}")
        case {"select": {"options": options}}, list():
            names = {option["value"]: option["label"] for option in options}
            return ", ".join(names[value] for value in default)
        case {"number": {"unit_of_measurement": unit}}, _:
            return f"{default} {unit}"
    return str(default)


def _text(texts: Texts, key: str) -> str:
    if key not in texts:
        raise DocumentationError(f"en.json lacks {key}")
    return texts[key]
