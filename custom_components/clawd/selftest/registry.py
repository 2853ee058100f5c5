"""The checks, in the order in which they run.

Those that exercise the system come before those that look for what is left;
those that interrupt it come last, and of these those that reload the entry.
"""

from typing import Final

from .checks_connection import (
    check_backoff_pause,
    check_backoff_schedule,
    check_clock_skew,
    check_features,
    check_receive_limit,
    check_scopes,
    check_sequence_gaps,
    check_tick_age,
    check_transport_trust,
    not_connected,
)
from .checks_drills import (
    check_disconnect_fails_all,
    check_drill_abort,
    check_drill_restart,
    check_log_redaction,
    check_memory,
    check_task_growth,
)
from .checks_entry import (
    anybody_connects,
    check_entity_availability,
    check_handler_errors,
    check_loop_lag,
    check_registry,
    check_store_permissions,
    check_task_exceptions,
    check_timer_registry,
    check_translations,
)
from .checks_gateway import (
    check_orphan_responses,
    check_pending_balance,
    check_protocol,
    check_round_trip,
    check_runs_map,
    check_timeout_probe,
    in_handshake,
)
from .checks_home_assistant import (
    check_handler_baseline,
    check_handler_duplicates,
    check_task_inventory,
    check_unload_ledger,
    entry_in_transit,
)
from .checks_reload import (
    check_bus_listeners,
    check_entry_reload,
    check_instances,
    check_sockets,
)
from .checks_runs import check_pending_age, check_stream_queues, check_unknown_runs
from .checks_security import check_redaction, check_self_canary
from .interruption import runs_under_way
from .model import Ask, Aspect, Check, Component, Mode, Prerequisite


def _gateway(
    id_: str, ask: Ask, *prerequisites: Prerequisite, aspect: Aspect = Aspect.LIVENESS
) -> Check:
    return Check(id_, ask, Mode.PASSIVE, Component.GATEWAY, aspect, prerequisites)


def _home_assistant(id_: str, ask: Ask, *prerequisites: Prerequisite) -> Check:
    component = Component.HOME_ASSISTANT
    return Check(id_, ask, Mode.PASSIVE, component, prerequisites=prerequisites)


def _security(id_: str, ask: Ask, *prerequisites: Prerequisite) -> Check:
    return Check(
        id_, ask, Mode.PASSIVE, Component.SECURITY, prerequisites=prerequisites
    )


def _drill(id_: str, ask: Ask, component: Component) -> Check:
    return Check(
        id_,
        ask,
        Mode.DRILL,
        component,
        prerequisites=(entry_in_transit, not_connected, runs_under_way),
        deadline=60,
    )


CHECKS: Final = (
    Check(
        "round_trip",
        check_round_trip,
        Mode.ACTIVE,
        Component.GATEWAY,
        Aspect.READINESS,
        deadline=30,
    ),
    Check("timeout_probe", check_timeout_probe, Mode.ACTIVE, Component.GATEWAY),
    _gateway("pending_balance", check_pending_balance, in_handshake),
    _gateway("pending_age", check_pending_age),
    _gateway("orphan_responses", check_orphan_responses, aspect=Aspect.READINESS),
    _gateway("runs_map", check_runs_map),
    _gateway("unknown_runs", check_unknown_runs),
    _gateway("stream_queues", check_stream_queues),
    _gateway("backoff_schedule", check_backoff_schedule),
    _gateway("backoff_pause", check_backoff_pause),
    _gateway("clock_skew", check_clock_skew, not_connected, aspect=Aspect.READINESS),
    _gateway(
        "sequence_gaps", check_sequence_gaps, not_connected, aspect=Aspect.READINESS
    ),
    _gateway("tick_age", check_tick_age, not_connected),
    _gateway("receive_limit", check_receive_limit, not_connected),
    _gateway("protocol", check_protocol, aspect=Aspect.READINESS),
    _gateway("features", check_features, not_connected, aspect=Aspect.READINESS),
    _gateway("scopes", check_scopes, not_connected, aspect=Aspect.READINESS),
    _home_assistant("task_inventory", check_task_inventory, entry_in_transit),
    _home_assistant("task_exceptions", check_task_exceptions),
    _home_assistant(
        "timer_registry", check_timer_registry, entry_in_transit, anybody_connects
    ),
    _home_assistant("handler_duplicates", check_handler_duplicates),
    _home_assistant("handler_baseline", check_handler_baseline, entry_in_transit),
    _home_assistant("handler_errors", check_handler_errors),
    _home_assistant("unload_ledger", check_unload_ledger, entry_in_transit),
    _home_assistant("entity_availability", check_entity_availability, entry_in_transit),
    _home_assistant("registry", check_registry, entry_in_transit),
    _home_assistant("translations", check_translations),
    _home_assistant("loop_lag", check_loop_lag),
    _security("transport_trust", check_transport_trust),
    _security("store_permissions", check_store_permissions),
    _security("self_canary", check_self_canary),
    _security("redaction", check_redaction),
    _drill("drill_restart", check_drill_restart, Component.GATEWAY),
    _drill("drill_abort", check_drill_abort, Component.GATEWAY),
    _drill("disconnect_fails_all", check_disconnect_fails_all, Component.GATEWAY),
    _drill("task_growth", check_task_growth, Component.HOME_ASSISTANT),
    _drill("memory", check_memory, Component.HOME_ASSISTANT),
    _drill("log_redaction", check_log_redaction, Component.SECURITY),
    _drill("entry_reload", check_entry_reload, Component.HOME_ASSISTANT),
    _drill("bus_listeners", check_bus_listeners, Component.HOME_ASSISTANT),
    _drill("instances", check_instances, Component.HOME_ASSISTANT),
    _drill("sockets", check_sockets, Component.GATEWAY),
)
