"""Translated texts of the self-test."""

from typing import TYPE_CHECKING, Any

from ..const import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

type Texts = Mapping[str, str]


def text_key(key: str) -> str:
    """Return the translation key of a text."""
    return f"component.{DOMAIN}.exceptions.{key}.message"


def format_text(texts: Texts, key: str, placeholders: Mapping[str, Any]) -> str:
    """Return a translated text.

    Its key if there is none.
    """
    return texts.get(text_key(key), key).format(**placeholders)
