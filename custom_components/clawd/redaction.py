"""Secrets, and where they turn up."""

from base64 import b64encode, urlsafe_b64encode
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from homeassistant.const import CONF_PASSWORD, CONF_TOKEN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from homeassistant.util.json import JsonValueType

    from .gateway import Credentials

# A shorter one may be any word, and a search for it would find nothing but words.
SHORTEST: Final = 8
PREFIX: Final = 12
WITHHELD: Final = "**WITHHELD**"


def known_secrets(
    data: Mapping[str, Any], credentials: Credentials | None
) -> list[str]:
    """Return the secrets of an entry that are long enough to be searched for."""
    secrets = [data.get(CONF_TOKEN), data.get(CONF_PASSWORD)]
    if credentials:
        own = credentials.device_token
        secrets += [credentials.identity.secret, own.token if own else None]
    return [secret for secret in secrets if secret and len(secret) >= SHORTEST]


def forms(secret: str) -> set[str]:
    """Return the forms in which a secret may have got somewhere."""
    raw = secret.encode()
    return {
        secret,
        secret[:PREFIX],
        quote(secret, safe=""),
        b64encode(raw).decode().rstrip("="),
        urlsafe_b64encode(raw).decode().rstrip("="),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
    }


def leaks(document: object, secrets: Iterable[str]) -> bool:
    """Return whether any form of a secret is in the keys or values of a document."""
    return _contains(document, _all_forms(secrets))


def withhold_texts(document: JsonValueType, secrets: Iterable[str]) -> JsonValueType:
    """Return a document in which each text with a secret in it is replaced."""
    return _withhold(document, _all_forms(secrets))


def _all_forms(secrets: Iterable[str]) -> set[str]:
    return {form for secret in secrets for form in forms(secret)}


def _contains(document: object, wanted: Collection[str]) -> bool:
    return any(form in text for text in _texts(document) for form in wanted)


def _withhold(document: JsonValueType, wanted: Collection[str]) -> JsonValueType:
    match document:
        case dict():
            return {key: _withhold(value, wanted) for key, value in document.items()}
        case list():
            return [_withhold(value, wanted) for value in document]
        case str() if _contains(document, wanted):
            return WITHHELD
        case _:
            return document


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
