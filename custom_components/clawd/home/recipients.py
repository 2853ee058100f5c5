"""Notifications to persons."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.homeassistant import async_should_expose

from ..gateway import NodeCallError
from .aliases import aliases_of
from .apis import ASSISTANT
from .arguments import INVALID_ARGUMENTS
from .notifications import async_notify_user, find_notify_actions
from .text import one_line
from .users import is_administrator

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant, State

    from .origin import CallOrigin

PERSON: Final = "person"
MAX_NAME: Final = 64
MAX_NAMES: Final = 20


@dataclass(frozen=True, slots=True)
class Recipients:
    """Users to notify.

    Attributes:
        shown: their names for the agent.
        own: it is the asking user.

    """

    user_ids: tuple[str, ...]
    shown: str
    own: bool = False


async def async_find_recipients(
    hass: HomeAssistant, origin: CallOrigin | None, name: str | None
) -> Recipients:
    """Return the recipients of a notification.

    The user of the named person, else the asking user, else the administrators.

    Raises:
        NodeCallError: no person with a user has this name.

    """
    asker = origin.user_id if origin else None
    if name is not None:
        user_id = _user_of_person(hass, name)
        return Recipients((user_id,), one_line(name, MAX_NAME), own=user_id == asker)
    if asker is not None:
        return Recipients((asker,), "the user who asked", own=True)
    return await async_find_administrators(hass)


async def async_find_administrators(hass: HomeAssistant) -> Recipients:
    """Return the administrators as recipients."""
    users = tuple(
        user.id for user in await hass.auth.async_get_users() if is_administrator(user)
    )
    return Recipients(users, "the administrators")


async def async_notify(
    hass: HomeAssistant,
    recipients: Recipients,
    text: str,
    title: str | None,
    *,
    devices: bool = True,
) -> dict[str, Any]:
    """Notify the devices of recipients.

    Without any, show it in Home Assistant.
    """
    reached = [
        user_id
        for user_id in recipients.user_ids
        if devices and find_notify_actions(hass, user_id)
    ]
    for user_id in reached:
        await async_notify_user(hass, user_id, text, title)
    if not reached:
        await async_notify_user(hass, None, text, title)
    return {
        "notified": recipients.shown,
        "by": "devices" if reached else "a notification in Home Assistant",
    }


def _user_of_person(hass: HomeAssistant, name: str) -> str:
    """Return the user of a person.

    Raises:
        NodeCallError: there is none, or no single one.

    """
    wanted, persons = name.strip().casefold(), hass.states.async_all(PERSON)
    found = [
        state.attributes.get("user_id")
        for state in persons
        if wanted in _names(hass, state)
    ]
    match found:
        case [str(user_id)]:
            return user_id
        case [None]:
            problem = "This person has no user in Home Assistant."
        case []:
            # Name only exposed persons to the agent.
            exposed = [
                f'"{one_line(state.name, MAX_NAME)}"'
                for state in persons[:MAX_NAMES]
                if async_should_expose(hass, ASSISTANT, state.entity_id)
            ]
            known = f" There are: {', '.join(exposed)}." if exposed else ""
            problem = f"No person has this name.{known}"
        case _:
            problem = "Several persons have this name."
    raise NodeCallError(INVALID_ARGUMENTS, problem)


def _names(hass: HomeAssistant, person: State) -> set[str]:
    """Return the names of a person, without case."""
    names = (person.name, person.entity_id, *aliases_of(hass, person.entity_id))
    return {name.strip().casefold() for name in names}
