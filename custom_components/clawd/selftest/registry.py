"""The checks, in the order in which they run.

Those that exercise the system come before those that look for what is left.
"""

from typing import Final

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
    entry_in_transit,
)
from .checks_security import check_redaction, check_self_canary
from .model import Aspect, Check, Component, Mode

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
    Check(
        "pending_balance",
        check_pending_balance,
        Mode.PASSIVE,
        Component.GATEWAY,
        prerequisites=(in_handshake,),
    ),
    Check(
        "orphan_responses",
        check_orphan_responses,
        Mode.PASSIVE,
        Component.GATEWAY,
        Aspect.READINESS,
    ),
    Check("runs_map", check_runs_map, Mode.PASSIVE, Component.GATEWAY),
    Check(
        "protocol",
        check_protocol,
        Mode.PASSIVE,
        Component.GATEWAY,
        Aspect.READINESS,
    ),
    Check(
        "task_inventory",
        check_task_inventory,
        Mode.PASSIVE,
        Component.HOME_ASSISTANT,
        prerequisites=(entry_in_transit,),
    ),
    Check(
        "handler_duplicates",
        check_handler_duplicates,
        Mode.PASSIVE,
        Component.HOME_ASSISTANT,
    ),
    Check(
        "handler_baseline",
        check_handler_baseline,
        Mode.PASSIVE,
        Component.HOME_ASSISTANT,
        prerequisites=(entry_in_transit,),
    ),
    Check("self_canary", check_self_canary, Mode.PASSIVE, Component.SECURITY),
    Check("redaction", check_redaction, Mode.PASSIVE, Component.SECURITY),
)
