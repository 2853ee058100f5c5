"""Change detection of `scripts/develop`."""

import os
from pathlib import Path

import pytest

from scripts.home_assistant.develop import snapshot


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "sensor.py"
    source.write_text("one")
    return source


def test_edited_file_changes_snapshot(source: Path) -> None:
    before = snapshot(source.parent)
    os.utime(source, ns=(0, 0))
    assert snapshot(source.parent) != before


def test_new_file_in_subfolder_changes_snapshot(source: Path) -> None:
    before = snapshot(source.parent)
    (source.parent / "gateway").mkdir()
    (source.parent / "gateway" / "frames.py").touch()
    assert snapshot(source.parent) != before


def test_removed_file_changes_snapshot(source: Path) -> None:
    before = snapshot(source.parent)
    source.unlink()
    assert snapshot(source.parent) != before


def test_bytecode_does_not_change_snapshot(source: Path) -> None:
    before = snapshot(source.parent)
    (source.parent / "__pycache__").mkdir()
    (source.parent / "__pycache__" / "sensor.pyc").touch()
    assert snapshot(source.parent) == before
