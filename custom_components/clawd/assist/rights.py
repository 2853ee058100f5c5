"""Rights of questions on the Gateway's machine."""

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from ..const import (
    CONF_AGENT,
    CONF_PERMISSIONS,
    CONF_SESSION_SCOPE,
    SUBENTRY_CONVERSATION,
)
from ..coordinator import subentries_of_type
from ..home.users import is_administrator
from .session import Scope

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry


class QuestionOrigin(Protocol):
    """Origin of a question."""

    @property
    def voice_device(self) -> str | None:
        """Return the voice device, if any."""

    @property
    def user_id(self) -> str | None:
        """Return the id of the user."""

    @property
    def by_person(self) -> bool:
        """Return whether a person asked."""


class Permissions(StrEnum):
    """Setting of an agent for its rights.

    Attributes:
        ADMINISTRATORS: chats of administrators as the Gateway decides, all others
            guarded.

    """

    ADMINISTRATORS = "administrators"
    GUARDED = "guarded"
    READ_ONLY = "read_only"
    GATEWAY = "gateway"


class Rights(StrEnum):
    """Rights of a session, least first."""

    READ_ONLY = "read_only"
    GUARDED = "guarded"
    GATEWAY = "gateway"

    @property
    def permission_mode(self) -> str | None:
        """Return the Gateway's `permissionMode`.

        None if it decides.
        """
        return {Rights.READ_ONLY: "read-only", Rights.GUARDED: "guarded"}.get(self)


_OF_EVERYONE: Final = {
    Permissions.ADMINISTRATORS: Rights.GUARDED,
    Permissions.GUARDED: Rights.GUARDED,
    Permissions.READ_ONLY: Rights.READ_ONLY,
    Permissions.GATEWAY: Rights.GATEWAY,
}


async def async_rights(
    hass: HomeAssistant, subentry: ConfigSubentry, question: QuestionOrigin
) -> Rights:
    """Return the rights of a question.

    In a session without a name.
    """
    shared = subentry.data[CONF_SESSION_SCOPE] == Scope.SHARED
    if question.voice_device or shared:
        return _of_everyone(subentry)
    user_id = question.user_id if question.by_person else None
    return await async_rights_of_user(hass, subentry, user_id)


async def async_rights_of_user(
    hass: HomeAssistant, subentry: ConfigSubentry, user_id: str | None
) -> Rights:
    """Return the rights of a user's own session."""
    if _permissions(subentry) is Permissions.ADMINISTRATORS and user_id:
        user = await hass.auth.async_get_user(user_id)
        if user and is_administrator(user):
            return Rights.GATEWAY
    return _of_everyone(subentry)


def rights_of_named(entry: ClawdConfigEntry, subentry: ConfigSubentry) -> Rights:
    """Return the rights of a named session.

    The least of all possible users. An action may name the session of any other
    conversation with the same agent.
    """
    agent = subentry.data[CONF_AGENT].lower()
    sharing = [
        other
        for other in subentries_of_type(entry, SUBENTRY_CONVERSATION)
        if other.data[CONF_AGENT].lower() == agent
    ]
    order = list(Rights)
    return min(map(_of_everyone, (subentry, *sharing)), key=order.index)


def is_restricted(subentry: ConfigSubentry) -> bool:
    """Return whether users can be restricted."""
    return _of_everyone(subentry) is not Rights.GATEWAY


def depends_on_user(subentry: ConfigSubentry) -> bool:
    """Return whether rights depend on the user."""
    return _permissions(subentry) is Permissions.ADMINISTRATORS


def _of_everyone(subentry: ConfigSubentry) -> Rights:
    return _OF_EVERYONE[_permissions(subentry)]


def _permissions(subentry: ConfigSubentry) -> Permissions:
    # An AI task has no such setting.
    return Permissions(subentry.data.get(CONF_PERMISSIONS, Permissions.ADMINISTRATORS))
