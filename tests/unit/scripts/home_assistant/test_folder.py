"""Config folder of demo and develop."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.home_assistant.folder import (
    COMPONENT,
    prepare_folder,
    skip_onboarding_steps,
)
from scripts.release.package import build_package


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config"


def stored(folder: Path, key: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / ".storage" / key).read_text())
    assert content["key"] == key
    return content


def test_component_is_linked_to_repository(folder: Path) -> None:
    prepare_folder(folder, 8123)
    assert (folder / "custom_components" / "clawd").resolve() == COMPONENT.resolve()


def test_packaged_component_is_unpacked(folder: Path, tmp_path: Path) -> None:
    package = build_package(COMPONENT, tmp_path)
    prepare_folder(folder, 8123, package)
    manifest = folder / "custom_components" / "clawd" / "manifest.json"
    assert manifest.read_bytes() == (COMPONENT / "manifest.json").read_bytes()


def test_home_assistant_listens_only_on_loopback(folder: Path) -> None:
    prepare_folder(folder, 4567)
    http = stored(folder, "http")["data"]
    assert http["stable"]["server_host"] == ["127.0.0.1"]
    assert http["stable"]["server_port"] == 4567


def test_http_settings_need_no_confirmation(folder: Path) -> None:
    prepare_folder(folder, 4567)
    http = stored(folder, "http")["data"]
    assert http["pending"] is None
    assert http["yaml_migration_done"] is True


def test_only_user_onboarding_remains(folder: Path) -> None:
    prepare_folder(folder, 8123)
    skip_onboarding_steps(folder)
    done = stored(folder, "onboarding")["data"]["done"]
    assert set(done) == {"core_config", "analytics", "integration"}


def test_second_start_keeps_configuration(folder: Path) -> None:
    prepare_folder(folder, 8123)
    (folder / "configuration.yaml").write_text("sun:\n")
    prepare_folder(folder, 8123)
    assert (folder / "configuration.yaml").read_text() == "sun:\n"


def test_second_start_can_change_port(folder: Path) -> None:
    prepare_folder(folder, 8123)
    prepare_folder(folder, 4567)
    assert stored(folder, "http")["data"]["stable"]["server_port"] == 4567


def test_moved_component_is_relinked(folder: Path) -> None:
    link = folder / "custom_components" / "clawd"
    link.parent.mkdir(parents=True)
    link.symlink_to(folder / "gone")
    prepare_folder(folder, 8123)
    assert link.resolve() == COMPONENT.resolve()
