"""Redaction of secrets."""

from base64 import b64encode, urlsafe_b64encode
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from homeassistant.const import CONF_PASSWORD, CONF_TOKEN

from .const import CONF_HEADERS
from .gateway import MIN_SECRET_LENGTH, header_secrets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from homeassistant.util.json import JsonValueType

    from .gateway import Credentials

PREFIX: Final = 12
REDACTED: Final = "**REDACTED**"


def known_secrets(
    data: Mapping[str, Any],
    options: Mapping[str, Any],
    *credentials: Credentials,
) -> list[str]:
    """Return the secrets of an entry."""
    # Data that were edited by hand may be of any type: {"token": 12345678}.
    stored = [*_leaves(data.get(CONF_TOKEN)), *_leaves(data.get(CONF_PASSWORD))]
    headers = header_secrets(_leaves(options.get(CONF_HEADERS)))
    used = (secret for device in credentials for secret in device.secrets)
    secrets = dict.fromkeys((*stored, *headers, *used))
    return [secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH]


def secret_variants(secret: str) -> set[str]:
    """Return the encodings of a secret."""
    raw = secret.encode(errors="replace")
    return {
        secret,
        secret[:PREFIX],
        quote(raw, safe=""),
        b64encode(raw).decode().rstrip("="),
        urlsafe_b64encode(raw).decode().rstrip("="),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
    }


def contains_secret(document: object, secrets: Iterable[str]) -> bool:
    """Return whether a document contains a secret.

    In any encoding.
    """
    return _contains(document, _all_variants(secrets))


def redact_texts(document: JsonValueType, secrets: Iterable[str]) -> JsonValueType:
    """Redact the texts with a secret."""
    return _redact(document, _all_variants(secrets))


def _all_variants(secrets: Iterable[str]) -> set[str]:
    return {form for secret in secrets for form in secret_variants(secret)}


def _contains(document: object, wanted: Collection[str]) -> bool:
    return any(form in text for text in _texts(document) for form in wanted) or any(
        number in wanted for number in _numbers(document)
    )


def _redact(document: JsonValueType, wanted: Collection[str]) -> JsonValueType:
    match document:
        case dict():
            return {key: _redact(value, wanted) for key, value in document.items()}
        case list():
            return [_redact(value, wanted) for value in document]
        case str() | int() | float() if _contains(document, wanted):
            return REDACTED
        case _:
            return document


def _leaves(value: object) -> Iterator[str]:
    """Yield the texts and numbers of a value."""
    match value:
        case None | bool():
            return
        case dict():
            for inner in value.values():
                yield from _leaves(inner)
        case list() | tuple():
            for inner in value:
                yield from _leaves(inner)
        case _:
            yield str(value)


def _numbers(document: object) -> Iterator[str]:
    """Yield the numbers of a document.

    A token may be one.
    """
    match document:
        case dict():
            for value in document.values():
                yield from _numbers(value)
        case list() | tuple():
            for value in document:
                yield from _numbers(value)
        case int() | float():
            yield str(document)


def _texts(document: object) -> Iterator[str]:
    match document:
        case dict():
            for key, value in document.items():
                yield str(key)
                yield from _texts(value)
        case list() | tuple():
            for value in document:
                yield from _texts(value)
        case str():
            yield document
