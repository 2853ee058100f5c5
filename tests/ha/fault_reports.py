"""What the report says of each planted fault."""

from typing import Final

import pytest

from .said import Said

_NAMED: Final = {
    "same_listener_twice": "tick",
    "additional_listener": "tick",
    "missing_listener": "tick",
    "leaking_version": "versions",
    "missing_method": "chat.history",
    "missing_scope": "operator.write",
    "forgotten_timer": "GatewayClient.resume",
    "stale_device": "Stale",
    "stale_entity": "sensor.stale",
    "missing_text": "check_protocol_hint",
}
_ADDRESS: Final = {"transport": "ws", "address": "loopback"}
_CUT: Final = {"count": 5, "failed": 0, "slowest": "#"}
_LOGGER: Final = "custom_components.clawd.gateway.credentials"
_HELD: Final = (
    "_async_follow, _async_follow_agents, report listener, self-test schedule"
)
_DEAF: Final = "binary_sensor.openclaw_gateway_connectivity, conversation.main"
_WAIT: Final = "GatewayClient.wait_connected"


def _between(low: float, high: float) -> object:
    """Return what equals each number from low to high."""
    return pytest.approx((low + high) / 2, abs=(high - low) / 2)


_MEASURED: Final = _between(1, 5_000)
"""Milliseconds, on a busy machine, too."""

_REPORTS: Final = {
    "held_request": Said(1, {"held": 1, "issued": "#", "settled": "#"}, ("health #",)),
    "forgotten_request": Said(1, {"held": 0, "issued": "#", "settled": "#"}),
    "alien_response": Said(1, {"alien": 1, "late": 1, "repeated": 0}),
    "endless_request": Said(_MEASURED, {"deadline": 20}, ("not timed out",)),
    "stray_task": Said(1, {"names": f"Task-# ({_WAIT})"}, None),
    "run_that_stays": Said(1, {"count": 1, "open": 1}, ("age # s, ended: True",)),
    "endless_run": Said(1, {"count": 1, "open": 1}, ("age # s, ended: False",)),
    "mute_health": Said(20.0, {"median": 20, "longest": 20}),
    "protocol_99": Said(99, {"version": 99}),
    "overdue_request": Said(
        _between(-30, 0), {"count": 1, "held": 1}, ("agents.list",)
    ),
    "foreign_run": Said(1, {"count": 1}),
    "swollen_queue": Said(None, {"count": 1, "open": 1}, ("# unread of #, 0 held",)),
    "storm": Said(
        [0.0] * 12,
        {"count": 12, "attempts": 12},
        ("12 attempts in a minute", "the same delay again and again"),
    ),
    "fixed_delay": Said(
        [0.01] * 5, {"count": 5, "attempts": 6}, ("the same delay again and again",)
    ),
    "long_delay": Said(None, {"count": 1, "attempts": 1}, ("a delay of # s",)),
    "restless_pause": Said(2, {"count": 2}, ("approval: # s", "approval: # s")),
    "clock_ahead_by_130_s": Said(_between(-132, -128), {"seconds": "-1#"}),
    "clock_ahead_by_60_s": Said(_between(-62, -58), {"seconds": "-#"}),
    "skipped_events": Said(1, {"count": 1}),
    "mute_server": Said(_between(0.002, 5), {"seconds": "#", "limit": 0.002}),
    "small_receive_limit": Said(8_388_608, {"limit": 8_388_608, "least": 30_000_000}),
    "public_peer": Said("ws, loopback", _ADDRESS),
    "another_certificate": Said("ws, loopback", _ADDRESS),
    "insecure_with_consent": Said("ws, loopback", _ADDRESS),
    "failing_task": Said(1, {"count": 1, "names": "abort"}),
    "failing_listener": Said(1, {"count": 1}),
    "nothing_given_back": Said(8, {"names": _HELD}),
    "deaf_entities": Said(2, {"names": _DEAF}),
    "blocked_loop": Said(_MEASURED, {"slow": "#"}),
    "readable_secret": Said(1, {"names": "clawd.identity"}, ("clawd.identity: 644",)),
    "end_at_a_restart": Said(_MEASURED, {"code": 1012, "time": "#", "names": "-"}),
    "end_at_an_abort": Said(_MEASURED, {"code": 1006, "time": "#", "names": "-"}),
    "subscription_lost_at_a_restart": Said(
        _MEASURED, {"code": 1012, "time": "#", "names": "tick"}
    ),
    "subscription_lost_at_an_abort": Said(
        _MEASURED, {"code": 1006, "time": "#", "names": "tick"}
    ),
    "drop_that_fails_nothing": Said(0, _CUT),
    "drop_that_cancels": Said(0, _CUT),
    "drop_that_fails_late": Said(None, {**_CUT, "failed": "#"}),
    "cut_that_comes_late": Said(0, _CUT),
    "surviving_reader": Said(1, {"reconnects": 3, "names": _WAIT}),
    "growing_list": Said(None, {"reconnects": 3, "kib": "#"}),
    "token_in_the_log": Said(1, {"names": _LOGGER}),
    "token_in_a_traceback": Said(1, {"names": _LOGGER}),
    "failing_set_up": Said(None, {"state": "setup_error"}, reason="not_reloaded"),
    "task_of_a_former_life": Said(1, {"reloads": 3, "names": _WAIT}),
    "missing_unsubscribe": Said(1, {"reloads": 3, "names": "clawd_event"}),
    "missing_state_unsubscribe": Said(
        1, {"reloads": 3, "names": "track_state_change_data"}
    ),
    "forgotten_schedule": Said(1, {"reloads": 3, "names": "timers"}),
    "held_client": Said(1, {"count": 1}),
    "held_connection": Said(1, {"count": 1}),
    "open_socket": Said(None, {"before": "#", "after": "#"}),
}


def report_of(fault: str) -> Said:
    """Return what the report says of a fault."""
    if fault.startswith("blind_"):
        return Said(1, {"names": fault.removeprefix("blind_")})
    if fault in _NAMED:
        return Said(1, {"names": _NAMED[fault]})
    return _REPORTS[fault]
