"""Import of blueprints."""

from pathlib import Path
from typing import Any, cast

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.components.blueprint.schemas import BLUEPRINT_SCHEMA
from homeassistant.util.yaml import parse_yaml
import pytest

FOLDER = Path(__file__).parents[2] / "blueprints" / "automation" / "clawd"


def read(text: str) -> dict[str, Any]:
    """Read a YAML document with keys."""
    return cast("dict[str, Any]", parse_yaml(text))


@pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem
)
def test_an_imported_blueprint_is_valid(path: Path) -> None:
    blueprint = Blueprint(read(path.read_text("utf-8")), schema=BLUEPRINT_SCHEMA)
    # It is stored with what the schema makes of it: numbers instead of features.
    imported = Blueprint(read(blueprint.yaml()), schema=AUTOMATION_BLUEPRINT_SCHEMA)
    assert imported.name == blueprint.name
    assert imported.inputs == blueprint.inputs
