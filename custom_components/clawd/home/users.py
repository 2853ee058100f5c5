"""Users of Home Assistant."""

from typing import TYPE_CHECKING

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.exceptions import Unauthorized

if TYPE_CHECKING:
    from homeassistant.auth.models import User
    from homeassistant.core import Context, HomeAssistant


def is_administrator(user: User) -> bool:
    """Return whether a person administrates Home Assistant."""
    # Apps (add-ons) act as an administrator that the system made.
    return user.is_active and user.is_admin and not user.system_generated


async def async_require_control(
    hass: HomeAssistant, context: Context, entity_id: str
) -> None:
    """Check a user's permission for an entity.

    Raises:
        Unauthorized: the user may not, or is not known any more.

    """
    if context.user_id is None:
        return
    user = await hass.auth.async_get_user(context.user_id)
    if user is None or not user.permissions.check_entity(entity_id, POLICY_CONTROL):
        raise Unauthorized(
            context=context, entity_id=entity_id, permission=POLICY_CONTROL
        )
