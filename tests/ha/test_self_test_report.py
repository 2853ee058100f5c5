"""Report of a healthy system."""

from time import perf_counter
from typing import Final

from custom_components.clawd.selftest.registry import CHECKS

from .fault_harness import FaultHarness
from .report_assertions import Expected, assert_reported
from .self_test import RUNS_LONG, run_self_test

type Row = tuple[str, object, str | None, object, dict[str, object]]

# Component, observed value, unit, expected value and placeholders of a check. What
# other features add to, as entities, methods and listeners, is not counted: # stands
# for any number, None is not compared.
HEALTHY: Final[dict[str, Row]] = {
    "round_trip": (
        "gateway",
        None,
        "ms",
        "< 1000",
        {"median": "#", "slow": "#", "longest": "#"},
    ),
    "timeout_probe": ("gateway", None, "ms", "< 50", {"deadline": 20}),
    "pending_balance": ("gateway", 0, "requests", 0, {"issued": "#", "completed": "#"}),
    "pending_age": ("gateway", 0, "s after the deadline", "<= 1", {"held": 0}),
    "orphan_responses": ("gateway", 0, "responses", 0, {"late": 1, "repeated": 0}),
    "runs_map": ("gateway", 0, "runs", 0, {"open": 0}),
    "unknown_runs": ("gateway", 0, "runs", 0, {"events": 0}),
    "run_events": ("gateway", 0, "events", 0, {}),
    "run_outcomes": ("gateway", 0, "replies", 0, {"count": 0}),
    "stream_queues": ("gateway", 0, "characters", "<= the reply", {"open": 0}),
    "backoff_schedule": ("gateway", [], "s", "<= 30", {"count": 0, "attempts": 1}),
    "backoff_pause": ("gateway", 0, "attempts", 0, {}),
    "clock_skew": ("gateway", None, "s", "<= 30", {"seconds": "#"}),
    "sequence_gaps": ("gateway", 0, "gaps", 0, {}),
    "frames_decoded": ("gateway", 0, "frames", 0, {"frames": "#", "repaired": 0}),
    "tick_age": ("gateway", None, "s", "<= 60", {"seconds": "#", "limit": 60}),
    "receive_limit": (
        "gateway",
        26_214_400,
        "bytes",
        ">= 26214400",
        {"limit": 26_214_400, "least": 26_214_400},
    ),
    "protocol": ("gateway", 4, None, "3 to 4", {"version": 4}),
    "features": ("gateway", 0, "names", 0, {"count": "#"}),
    "scopes": ("gateway", 0, "names", 0, {"count": "#"}),
    "task_inventory": ("home_assistant", 0, "tasks", 0, {"count": 2}),
    "task_exceptions": ("home_assistant", 0, "tasks", 0, {}),
    "timer_registry": ("home_assistant", 0, "timers", 0, {"count": "#"}),
    "handler_duplicates": ("home_assistant", 0, "events", 0, {"count": "#"}),
    "handler_baseline": ("home_assistant", 0, "events", 0, {"count": "#"}),
    "handler_errors": ("home_assistant", 0, "exceptions", 0, {}),
    "unload_ledger": ("home_assistant", None, None, None, {"count": "#"}),
    "entity_availability": ("home_assistant", 0, "entities", 0, {}),
    "registry": (
        "home_assistant",
        0,
        "entities and devices",
        0,
        {"entities": "#", "devices": "#"},
    ),
    "translations": ("home_assistant", 0, "texts", 0, {"count": "#"}),
    "loop_lag": ("home_assistant", 0, "ms", "< 60000", {"slow": 0}),
    "transport_trust": (
        "security",
        "ws, loopback",
        None,
        "wss, or not public",
        {"transport": "ws", "address": "loopback"},
    ),
    "media_cache": ("security", 0, "faults", 0, {"count": 0}),
    "store_permissions": ("security", 0, "files", 0, {"count": 0}),
    "storage_writes": ("home_assistant", 0, "stores", 0, {}),
    "self_canary": ("security", 0, "detectors", 0, {"count": "#"}),
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
    "entry_reload": ("home_assistant", 0, "names", 0, {"reloads": 3, "count": "#"}),
    "bus_listeners": ("home_assistant", 0, "names", 0, {"reloads": 3, "count": "#"}),
    "instances": ("home_assistant", 0, "clients", 0, {}),
    "sockets": ("gateway", 1, "sockets", 1, {"after": 1}),
}


@RUNS_LONG
async def test_a_report_has_value_and_message_of_each_check(
    harness: FaultHarness,
) -> None:
    started = perf_counter()
    report = await run_self_test(harness.hass, mode="drill")
    longest = (perf_counter() - started) * 1000

    durations = [check["duration_ms"] for check in report["checks"]]
    assert min(durations) > 0
    assert sum(durations) <= report["duration_ms"] <= longest
    checks = {check["id"]: check for check in report["checks"]}
    assert list(checks) == [check.id for check in CHECKS]
    for check_id, (component, observed, unit, expected, values) in HEALTHY.items():
        check = checks[check_id]
        assert_reported(check, Expected(observed, values))
        assert check["component"] == component, check_id
        assert check["observed_unit"] == unit, check_id
        assert expected in (None, check["expected"]), check_id
    ledger = checks["unload_ledger"]
    assert ledger["observed_value"] == ledger["expected"] > 0
