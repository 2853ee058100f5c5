"""Table of the rules, the likeliest cause first."""

from typing import Final

from ...gateway import UnexpectedError
from ...reports import Origin, Status
from ..checks.runs import lost_outcomes
from .connection import CLOSED, DRILLS, UNCONNECTED, closed
from .evidence import Evidence
from .rule import Find, Placeholders, Rule, check, counted, failed

# Characters; scopes and role come from the Gateway.
MAX_VALUE_LENGTH: Final = 64
SLOW: Final = ("round_trip",)
STORES: Final = ("storage_writes",)
CLOCKS: Final = ("clock_skew",)


def _client_stopped(evidence: Evidence) -> Placeholders | None:
    return {} if evidence.stopped else None


def _main_loop_errors(evidence: Evidence) -> Placeholders | None:
    # A client that is gone has left no count.
    count = evidence.events["main_loop_errors"] or int(
        isinstance(evidence.error, UnexpectedError)
    )
    return {"count": count} if count else None


def _loop_late(*, named: bool) -> Find:
    find_any = check("loop_lag", Status.WARN)

    def find(evidence: Evidence) -> Placeholders | None:
        found = find_any(evidence)
        return found if found and bool(found["name"]) is named else None

    return find


def _gateway_slow(*, loop_late: bool) -> Find:
    def find(evidence: Evidence) -> Placeholders | None:
        result = evidence.result("round_trip", Status.WARN, Status.FAIL)
        late = evidence.result("loop_lag", Status.WARN, Status.FAIL) is not None
        observed = result.observed if result else None
        if not isinstance(observed, int | float) or late is not loop_late:
            return None
        return {"seconds": f"{observed / 1000:.1f}"}

    return find


def _gateway_not_back(evidence: Evidence) -> Placeholders | None:
    for drill in DRILLS:
        result = evidence.result(drill, Status.FAIL)
        if result and result.reason == "gateway_not_back":
            return result.placeholders
    return None


def _replies_lost(evidence: Evidence) -> Placeholders | None:
    lost = [outcome.code for outcome in lost_outcomes(evidence.run_outcomes)]
    if not lost:
        return None
    codes = ", ".join(dict.fromkeys(lost))
    return {"count": len(evidence.run_outcomes), "lost": len(lost), "codes": codes}


def _restarted(evidence: Evidence) -> Placeholders | None:
    count = sum(reconnect.restarted is True for reconnect in evidence.reconnects)
    return {"count": count} if count else None


def _line_cut(evidence: Evidence) -> Placeholders | None:
    running = [r for r in evidence.reconnects if r.restarted is False]
    cut = closed(None)(evidence)
    return {"count": cut["count"]} if cut and running else None


def _hello_changed(evidence: Evidence) -> Placeholders | None:
    changed = [reconnect for reconnect in evidence.reconnects if reconnect.changes]
    if not changed:
        return None
    changes = (
        f"{name} {_shorten(before)} → {_shorten(now)}"
        for name, (before, now) in changed[-1].changes.items()
    )
    return {"changes": ", ".join(changes)}


def _shorten(value: object) -> str:
    """Shorten a value of the hello."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"


def _home_down(evidence: Evidence) -> Placeholders | None:
    result = evidence.result("home_published", Status.FAIL)
    down = result and result.reason == "home_disconnected"
    return result.placeholders if result and down else None


RULES: Final = (
    # The client does not run, or not as it should.
    Rule("client_stopped", _client_stopped, ("task_inventory",)),
    Rule("main_loop_errors", _main_loop_errors, ("task_exceptions",)),
    *UNCONNECTED,
    # What this integration, or Home Assistant, does wrong.
    Rule("loop_blocked", check("loop_lag", Status.FAIL), ("loop_lag",)),
    Rule("integration_fault", failed(Origin.INTEGRATION)),
    Rule("loop_late_by", _loop_late(named=True)),
    Rule("loop_late", _loop_late(named=False)),
    Rule("store_not_written", check("storage_writes", Status.FAIL), STORES),
    # What the Gateway or the network does.
    Rule("gateway_slow", _gateway_slow(loop_late=False), SLOW),
    Rule("gateway_slow_too", _gateway_slow(loop_late=True), SLOW),
    Rule("gateway_not_back", _gateway_not_back, DRILLS),
    *CLOSED,
    Rule("frames_invalid", counted("invalid_frames"), ("frames_decoded",)),
    Rule("replies_lost", _replies_lost),
    Rule("rights_missing", check("scopes", Status.FAIL), ("scopes",)),
    Rule("methods_missing", check("features", Status.FAIL), ("features",)),
    Rule("methods_not_announced", check("features", Status.WARN)),
    Rule("clocks_differ", check("clock_skew", Status.WARN, Status.FAIL), CLOCKS),
    Rule("responses_mixed", counted("unknown_responses"), ("orphan_responses",)),
    Rule("run_events_skipped", counted("skipped_run_events")),
    Rule("home_key_shared", check("home_holder", Status.FAIL), ("home_holder",)),
    Rule("home_unapproved", check("home_approval", Status.FAIL), ("home_approval",)),
    Rule("home_down", _home_down, ("home_published",)),
    Rule("home_hidden", check("home_visible", Status.FAIL), ("home_visible",)),
    Rule("home_unsupported", check("home_method", Status.WARN)),
    Rule("home_runaway", check("home_limits", Status.WARN)),
    Rule("events_lost", check("sequence_gaps", Status.WARN)),
    Rule("hello_changed", _hello_changed),
    Rule("gateway_restarted", _restarted),
    Rule("line_cut", _line_cut),
    Rule(
        "checks_failed", failed(Origin.HOME_ASSISTANT, Origin.NETWORK, Origin.GATEWAY)
    ),
)
