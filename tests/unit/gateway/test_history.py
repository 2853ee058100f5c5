"""Evidence of reconnects, which drills do not displace."""

from typing import Any

from custom_components.clawd.gateway import ClientHistory, Hello
from custom_components.clawd.gateway.history import MAX_HELLOS
from custom_components.clawd.gateway.protocol.transport import Peer
from tests.simulator.recordings import payload

PEER = Peer("127.0.0.1", None)


def _hello(**changes: Any) -> Hello:  # noqa: ANN401 - JSON
    return Hello.from_payload({**payload(4, "hello_ok", "connect"), **changes})


def test_reconnects_of_drills_are_kept_only_if_something_changed() -> None:
    history = ClientHistory()
    for _ in range(2):
        history.connected(_hello(), PEER)

    history.transitions.drill = True
    for _ in range(MAX_HELLOS + 1):
        history.connected(_hello(), PEER)
    history.connected(_hello(protocol=3), PEER)

    changes = [change.changes for change in history.hello_changes]
    assert changes == [{}, {"protocol": (4, 3)}]
