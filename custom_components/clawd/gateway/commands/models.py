"""Models and thinking levels."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from ..exceptions import InvalidFrameError
from ..models import READ_SCOPE
from .base import Commands, Method

if TYPE_CHECKING:
    from ..models import Json, Payload


@dataclass(frozen=True, slots=True)
class ThinkingLevel:
    """Thinking level of a model."""

    id: str
    label: str


# v3 does not list levels; its agents refuse any other.
V3_LEVELS: Final = tuple(
    ThinkingLevel(level, level) for level in ("off", "minimal", "low", "medium", "high")
)


@dataclass(frozen=True, slots=True)
class Model:
    """Model of a Gateway.

    Attributes:
        ref: `provider/id`.
        available: whether the Gateway has credentials for its provider.
        sees: whether it takes images; None where the Gateway does not say.

    """

    ref: str
    name: str
    thinking_levels: tuple[ThinkingLevel, ...]
    available: bool
    sees: bool | None = None

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Parse an entry of `models.list`."""
        ref = f"{payload['provider']}/{payload['id']}"
        default = V3_LEVELS if payload.get("reasoning") else ()
        inputs = payload.get("input")
        return cls(
            ref,
            name_of(ref, payload.get("name")),
            read_thinking_levels(payload, default),
            payload.get("available") is not False,
            "image" in inputs if isinstance(inputs, list) else None,
        )


class ModelCommands(Commands):
    """Commands on models."""

    LIST: Final = Method("models.list", READ_SCOPE)

    async def list(self, *, details: bool = False) -> tuple[Model, ...]:
        """Return the models.

        With `details` (v4) also their inputs.

        Raises:
            GatewayError: the Gateway did not answer, or not with a list.

        """
        params = {"includeDetails": True} if details else None
        return read_models(await self._call(self.LIST, params))


def read_models(payload: Json) -> tuple[Model, ...]:
    """Read the response to `models.list`.

    Raises:
        InvalidFrameError: the response holds no list of models.

    """
    match payload:
        case {"models": list(entries)}:
            found = entries_with(entries, "id", "provider")
            return tuple(map(Model.from_payload, found))
    raise InvalidFrameError("the response to models.list has no models")


def read_thinking_levels(
    payload: Payload, default: tuple[ThinkingLevel, ...]
) -> tuple[ThinkingLevel, ...]:
    """Parse the thinking levels of a model."""
    levels = payload.get("thinkingLevels")
    if not isinstance(levels, list):
        return default
    return tuple(
        ThinkingLevel(level["id"], name_of(level["id"], level.get("label")))
        for level in entries_with(levels, "id")
    )


def name_of(fallback: str, *names: Json) -> str:
    """Return the first displayable name."""
    for name in names:
        if isinstance(name, str) and any(
            char.isprintable() and not char.isspace() for char in name
        ):
            return " ".join(name.split())
    return fallback


def entries_with(entries: list[Json], *keys: str) -> list[Payload]:
    """Return the objects with all keys as text."""
    return [
        entry
        for entry in entries
        if isinstance(entry, dict)
        and all(isinstance(entry.get(key), str) for key in keys)
    ]
