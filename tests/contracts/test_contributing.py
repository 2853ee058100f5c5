"""What a contributor is given needs no network, and calls what there is."""

from pathlib import Path
import re

from homeassistant.util.yaml import load_yaml_dict
import pytest

from .sources import ROOT, read_json

HOOKS = ROOT / ".pre-commit-config.yaml"
CONTAINER = ROOT / ".devcontainer" / "devcontainer.json"
GUIDE = ROOT / "CONTRIBUTING.md"
PATH = re.compile(r"(?<![\w./-])(?:scripts|tests|custom_components)/[\w/-]*")


def test_every_hook_is_of_the_repository_itself() -> None:
    repositories = load_yaml_dict(str(HOOKS))["repos"]
    hooks = [hook for repository in repositories for hook in repository["hooks"]]
    assert {repository["repo"] for repository in repositories} == {"local"}
    assert {hook["language"] for hook in hooks} == {"system"}


def test_the_container_sets_itself_up() -> None:
    container = read_json(CONTAINER)
    assert container["postCreateCommand"] == "scripts/setup"


@pytest.mark.parametrize("path", [HOOKS, CONTAINER, GUIDE], ids=lambda path: path.name)
def test_every_path_that_is_named_is_there(path: Path) -> None:
    named = PATH.findall(path.read_text("utf-8"))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
