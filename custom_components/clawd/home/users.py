"""Users of Home Assistant."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from homeassistant.auth.models import User


def is_administrator(user: User) -> bool:
    """Return whether a person administrates Home Assistant."""
    # Apps (add-ons) act as an administrator that the system made.
    return user.is_active and user.is_admin and not user.system_generated
