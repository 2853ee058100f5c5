"""Checks of sessions."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ...assist.sessions import get_sessions
from ...gateway import MissingScopeError, RequestFailedError
from ...reports import Mode, Origin, Status
from ..model import CheckResult, Component, check, expect_none
from ..prerequisites import connected

if TYPE_CHECKING:
    from ...gateway import GatewayClient
    from ..model import CheckContext

# Sessions; each is one request.
MAX_DESCRIBED: Final = 20
# Permission modes, from the least rights on. Without one, the Gateway decides: its
# default lets the agent run commands.
MODES: Final = ("read-only", "guarded", "workspace", None, "full")


@check(
    component=Component.SECURITY,
    mode=Mode.ACTIVE,
    origin=Origin.GATEWAY,
    requires=(connected,),
)
async def check_permission_mode(context: CheckContext) -> CheckResult:
    """Permission modes of sessions, as configured.

    Whoever speaks to a voice device could otherwise run commands there.
    """
    client = context.runtime.client
    if client.hello and not client.hello.has_session_settings:
        return CheckResult(status=Status.SKIP, reason="sessions_unrestrictable")
    expected = _restricted_sessions(context)
    found = []
    for key, mode in expected.items():
        session = await client.sessions.describe(key)
        # Who deleted it took its rights, too: the next question sets them again.
        if session and _exceeds(session.permission_mode, mode):
            found.append(f"{mode}: {session.permission_mode or 'default'}")
    result = expect_none(
        len(found),
        "sessions",
        exceeding=len(found),
        count=len(expected),
        modes=", ".join(dict.fromkeys(found)),
    )
    if expected and not found and (visibility := await _reach(client)):
        placeholders = {**result.placeholders, "visibility": visibility}
        return replace(
            result,
            status=Status.WARN,
            reason="sessions_in_reach",
            placeholders=placeholders,
        )
    return result


async def _reach(client: GatewayClient) -> str | None:
    """Return the visibility of sessions with more rights.

    None if an agent cannot reach them: its tool `sessions_send` has them work for it,
    whatever the mode of its own session.
    """
    try:
        policy = await client.tools.policy()
    except MissingScopeError, RequestFailedError:
        # Earlier versions of OpenClaw show their configuration to administrators only.
        return None
    return policy.session_visibility if policy.reaches_other_sessions else None


def _restricted_sessions(context: CheckContext) -> dict[str, str]:
    """Return the configured modes by session key."""
    connection = context.runtime.client.statistics.connects
    applied = get_sessions(context.entry).applied
    modes = {
        key: settings.mode
        for key, settings in applied.items()
        if settings.mode is not None and settings.connection == connection
    }
    return dict(list(modes.items())[-MAX_DESCRIBED:])


def _exceeds(mode: str | None, expected: str) -> bool:
    """Return whether a mode exceeds the expected one.

    An unknown mode does.
    """
    return mode not in MODES or MODES.index(mode) > MODES.index(expected)
