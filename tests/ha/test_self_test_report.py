"""The whole report on a healthy system: what each check saw, and how it says so."""

from time import perf_counter
from typing import Final

from .live import Live
from .said import Said, assert_says
from .self_test import WORKS_LONG, run_self_test

type Row = tuple[str, object, str | None, object, dict[str, object]]

HEALTHY: Final[dict[str, Row]] = {
    "round_trip": (
        "gateway",
        None,
        "ms",
        "< 1000",
        {"median": "#", "slow": "#", "longest": "#"},
    ),
    "timeout_probe": ("gateway", None, "ms", "< 50", {"deadline": 20}),
    "pending_balance": ("gateway", 0, "requests", 0, {"issued": "#", "settled": "#"}),
    "pending_age": ("gateway", 0, "s after the deadline", "<= 1", {"held": 0}),
    "orphan_responses": ("gateway", 0, "responses", 0, {"late": 1, "repeated": 0}),
    "runs_map": ("gateway", 0, "runs", 0, {"open": 0}),
    "unknown_runs": ("gateway", 0, "runs", 0, {"events": 0}),
    "stream_queues": ("gateway", 0, "characters", "<= the reply", {"open": 0}),
    "backoff_schedule": ("gateway", [], "s", "<= 30", {"count": 0, "attempts": 1}),
    "backoff_pause": ("gateway", 0, "attempts", 0, {}),
    "clock_skew": ("gateway", None, "s", "<= 30", {"seconds": "#"}),
    "sequence_gaps": ("gateway", 0, "gaps", 0, {}),
    "tick_age": ("gateway", None, "s", "<= 60", {"seconds": "#", "limit": 60}),
    "receive_limit": (
        "gateway",
        26_214_400,
        "bytes",
        ">= 26214400",
        {"limit": 26_214_400, "least": 26_214_400},
    ),
    "protocol": ("gateway", 4, None, "3 to 4", {"version": 4}),
    "features": ("gateway", 0, "names", 0, {"count": 9}),
    "scopes": ("gateway", 0, "names", 0, {"count": 2}),
    "task_inventory": ("home_assistant", 0, "tasks", 0, {"count": 2}),
    "task_exceptions": ("home_assistant", 0, "tasks", 0, {}),
    "timer_registry": ("home_assistant", 0, "timers", 0, {"count": "#"}),
    "handler_duplicates": ("home_assistant", 0, "events", 0, {"count": 2}),
    "handler_baseline": ("home_assistant", 0, "events", 0, {"count": 2}),
    "handler_errors": ("home_assistant", 0, "exceptions", 0, {}),
    "unload_ledger": ("home_assistant", 4, None, 4, {"count": 4}),
    "entity_availability": ("home_assistant", 0, "entities", 0, {}),
    "registry": (
        "home_assistant",
        0,
        "entities and devices",
        0,
        {"entities": 8, "devices": 2},
    ),
    "translations": ("home_assistant", 0, "texts", 0, {"count": "#"}),
    "loop_lag": ("home_assistant", None, "ms", "< 10000", {"slow": "#"}),
    "transport_trust": (
        "security",
        "ws, loopback",
        None,
        "wss, or not public",
        {"transport": "ws", "address": "loopback"},
    ),
    "store_permissions": ("security", 0, "files", 0, {"count": 0}),
    "self_canary": ("security", 0, "detectors", 0, {"count": 14}),
    "redaction": ("security", 0, "places", 0, {"secrets": 3}),
    "drill_restart": ("gateway", None, "ms", "< 5000", {"code": 1012, "time": "#"}),
    "drill_abort": ("gateway", None, "ms", "< 5000", {"code": 1006, "time": "#"}),
    "disconnect_fails_all": ("gateway", 5, "requests", 5, {"count": 5, "slowest": "#"}),
    "task_growth": ("home_assistant", 0, "tasks", 0, {"reconnects": 3, "count": 2}),
    "memory": (
        "home_assistant",
        None,
        "bytes",
        "< 65536",
        {"kib": "#", "reconnects": 3},
    ),
    "log_redaction": ("security", 0, "lines", 0, {"count": "#", "secrets": 3}),
    "entry_reload": ("home_assistant", 0, "names", 0, {"reloads": 3, "count": 4}),
    "bus_listeners": ("home_assistant", 0, "names", 0, {"reloads": 3, "count": "#"}),
    "instances": ("home_assistant", 0, "clients", 0, {}),
    "sockets": ("gateway", 1, "sockets", 1, {"after": 1}),
}


@WORKS_LONG
async def test_a_report_says_of_each_check_what_was_seen_and_expected(
    live: Live,
) -> None:
    started = perf_counter()
    report = await run_self_test(live.hass, mode="drill")
    longest = (perf_counter() - started) * 1000

    durations = [check["duration_ms"] for check in report["checks"]]
    assert min(durations) > 0
    assert sum(durations) <= report["duration_ms"] <= longest
    assert [check["id"] for check in report["checks"]] == list(HEALTHY)
    for check in report["checks"]:
        component, observed, unit, expected, facts = HEALTHY[check["id"]]
        assert_says(check, Said(observed, facts))
        assert check["component"] == component, check["id"]
        assert check["observed_unit"] == unit, check["id"]
        assert check["expected"] == expected, check["id"]
