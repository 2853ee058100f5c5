"""Checks of sessions."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ...assist.sessions import get_sessions
from ...reports import Mode, Origin
from ..model import Component, check, expect_none, warn_if_any
from ..prerequisites import connected, session_settings

if TYPE_CHECKING:
    from ..model import CheckContext, CheckResult

# Sessions; each is one request.
MAX_DESCRIBED: Final = 20
# Permission modes, from the least rights on. Without one, the Gateway decides: its
# default lets the agent run commands.
MODES: Final = ("read-only", "guarded", "workspace", None, "full")


@check(
    component=Component.SECURITY,
    mode=Mode.ACTIVE,
    origin=Origin.GATEWAY,
    requires=(connected, session_settings),
)
async def check_permission_mode(context: CheckContext) -> CheckResult:
    """Permission modes of sessions, as configured.

    Whoever speaks to a voice device could otherwise run commands there.
    """
    client = context.runtime.client
    expected = _restricted_sessions(context)
    found = []
    for key, mode in expected.items():
        session = await client.sessions.describe(key)
        # Who deleted it took its rights, too: the next question sets them again.
        if session and _exceeds(session.permission_mode, mode):
            found.append(f"{mode}: {session.permission_mode or 'default'}")
    return expect_none(
        len(found),
        "sessions",
        exceeding=len(found),
        count=len(expected),
        modes=", ".join(dict.fromkeys(found)),
    )


@check(
    component=Component.SECURITY,
    mode=Mode.ACTIVE,
    origin=Origin.GATEWAY,
    requires=(connected, session_settings),
)
async def check_session_visibility(context: CheckContext) -> CheckResult:
    """Restricted sessions whose agents reach other sessions.

    An agent could have a session with more rights run commands for it.
    """
    count = len(_restricted_sessions(context))
    if not count:
        return warn_if_any(0, "sessions")
    # A mode is of its own session; the tool `sessions_send` has another one work.
    policy = await context.runtime.client.tools.policy()
    result = warn_if_any(count if policy.reaches_other_sessions else 0, "sessions")
    visibility = {"visibility": policy.session_visibility}
    return replace(result, placeholders={**result.placeholders, **visibility})


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
