"""Connection to the Gateway and its past."""

from typing import TYPE_CHECKING

from ..gateway import REQUIRED_METHODS
from .source import of_client, of_history
from .values import MAX_NAMES, describe_address, describe_error, limit, shorten

if TYPE_CHECKING:
    from homeassistant.util.json import JsonValueType

    from ..gateway import ClientHistory, CredentialRefusal, GatewayClient, Hello


@of_client
def connection_section(client: GatewayClient) -> object:
    """Return the state of the connection."""
    return {
        "state": client.state,
        "error": describe_error(client.last_error),
        "hello": _hello_data(client.hello) if client.hello else None,
        "peer": describe_address(client.peer.address_info) if client.peer else None,
    }


@of_history
def attempts_section(history: ClientHistory) -> object:
    """Return addresses and refusals of last attempts."""
    return {
        "addresses": [describe_address(info) for info in history.addresses[:MAX_NAMES]],
        "refusal": _refusal(history.refusal) if history.refusal else None,
    }


def _refusal(refusal: CredentialRefusal) -> object:
    return {
        "at": round(refusal.at, 3),
        "code": shorten(refusal.code),
        "shown": refusal.shown,
        "device_token": refusal.device_token,
        "same_peer": refusal.same_peer,
    }


@of_history
def transitions_section(history: ClientHistory) -> object:
    """Return the changes of the connection's state."""
    return [
        {
            "at": round(transition.at, 3),
            "monotonic": round(transition.monotonic_at, 3),
            "from": transition.previous,
            "to": transition.state,
            "cause": transition.cause,
            "error": describe_error(transition.error),
            "pause": transition.pause,
            "delay": transition.delay,
            "closed_by": transition.closed_by,
            "close_reason": transition.close_reason or None,
            "drill": transition.drill,
        }
        for transition in history.transitions.snapshot()
    ]


def describe_hellos(history: ClientHistory) -> list[JsonValueType]:
    """Return the changes between connections."""
    return [
        {
            "at": round(change.at, 3),
            "restarted": change.restarted,
            "uptime_before": change.uptime_before,
            "uptime": change.uptime,
            "changes": {
                name: [limit(old), limit(new)]
                for name, (old, new) in change.changes.items()
            },
        }
        for change in history.hello_changes
    ]


def _hello_data(hello: Hello) -> object:
    return {
        "role": shorten(hello.role),
        "scopes": [shorten(scope) for scope in hello.scopes[:MAX_NAMES]],
        "max_payload": hello.policy.max_payload,
        "tick_interval": hello.policy.tick_interval,
        "tick_replaced": hello.policy.tick_replaced or None,
        "clock_skew": round(hello.clock_skew, 3),
        "missing_methods": [
            name for name in REQUIRED_METHODS if name not in hello.methods
        ],
    }
