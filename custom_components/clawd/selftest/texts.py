"""Translated texts of the self-test."""

from typing import TYPE_CHECKING, Any

from ..const import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

type Texts = Mapping[str, str]


def text_key(key: str) -> str:
    """Return the key under which Home Assistant keeps a text."""
    return f"component.{DOMAIN}.exceptions.{key}.message"


def format_text(texts: Texts, key: str, placeholders: Mapping[str, Any]) -> str:
    """Return a translated text; its key if there is none."""
    return texts.get(text_key(key), key).format(**placeholders)
