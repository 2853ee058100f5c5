"""Callers of tools, and their rights."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ

from ..gateway import NodeCallError
from ..issues.registry import async_create_home_issue
from .elsewhere import parse_session_key
from .settings import AgentHome, HomeAccess, agent_homes

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from .elsewhere import SessionKey, SessionLookup
    from .origin import CallOrigin, OriginRegistry
    from .targets import Targets

NOT_ALLOWED: Final = "NOT_ALLOWED"
READ_ONLY: Final = "This agent may read the home, but not control it."


@dataclass(frozen=True, slots=True)
class Caller:
    """Origin and settings of a call.

    Attributes:
        origin: of our run, or of the one that started a sub-agent.
        in_own_run: it comes from our run itself, so a person can confirm there.
        run: key of the limits of a run.

    """

    home: AgentHome
    origin: CallOrigin | None
    in_own_run: bool
    run: str


def refusal(message: str) -> NodeCallError:
    """Return the error of a forbidden call."""
    return NodeCallError(NOT_ALLOWED, message)


async def async_identify(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    origins: OriginRegistry,
    sessions: SessionLookup,
    key: str | None,
) -> Caller:
    """Return the caller of a session.

    Raises:
        NodeCallError: calls from there are not allowed.

    """
    if key is None or (parsed := parse_session_key(key)) is None:
        raise refusal("Home Assistant takes no calls without a session.")
    origin = origins.current(key)
    own = origin is not None
    if origin is None:
        origin = await sessions.async_origin_of_parent(key)
    if origin is not None:
        for home in agent_homes(entry):
            if home.subentry_id == origin.subentry_id:
                return Caller(home, origin, own, f"{origin.turn} {origin.subentry_id}")
    return await _async_identify_elsewhere(hass, entry, sessions, key, parsed)


async def _async_identify_elsewhere(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    sessions: SessionLookup,
    key: str,
    parsed: SessionKey,
) -> Caller:
    """Return the caller of a foreign session.

    Raises:
        NodeCallError: nobody may call from there.

    """
    if await sessions.async_is_of_task(key):
        # No user with rights to check, and not a session from elsewhere.
        raise refusal("AI tasks cannot reach the home.")
    of_agent = [home for home in agent_homes(entry) if home.agent == parsed.agent]
    if not of_agent:
        raise refusal("This agent is not set up in Home Assistant.")
    home = AgentHome.for_elsewhere(of_agent)
    if parsed.group or (
        home.access is not HomeAccess.NONE and await sessions.async_is_group(key)
    ):
        raise refusal("The home cannot be reached from group chats.")
    if home.access is HomeAccess.NONE:
        if all(one.access is not HomeAccess.NONE for one in of_agent):
            async_create_home_issue(hass, entry, parsed.agent, home.title, parsed.kind)
        raise refusal(
            "Home Assistant lets this agent reach the home only in conversations that "
            "were started in Home Assistant. Its owner can allow it from here."
        )
    return Caller(home, None, in_own_run=False, run=key)


async def async_require_rights(
    hass: HomeAssistant, caller: Caller, targets: Targets, *, read_only: bool = False
) -> None:
    """Check the rights of the user.

    Raises:
        NodeCallError: the user may not do this.

    """
    if caller.origin is None or caller.origin.user_id is None:
        return
    user = await hass.auth.async_get_user(caller.origin.user_id)
    if user is None or not user.is_active:
        raise refusal("The user who asked is not known to Home Assistant any more.")
    policy = POLICY_READ if read_only else POLICY_CONTROL
    permissions = user.permissions
    if permissions.access_all_entities(policy):
        return
    # An incomplete list of targets might include forbidden ones.
    if not (
        targets.complete
        and targets.entity_ids
        and all(permissions.check_entity(one, policy) for one in targets.entity_ids)
    ):
        raise refusal(
            "The user who asked has no permission for this in Home Assistant."
        )
