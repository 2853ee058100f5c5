"""Comparison of peers."""

import pytest

from custom_components.clawd.gateway import ClientHistory, Hello
from custom_components.clawd.gateway.protocol.transport import Peer
from tests.simulator.recordings import payload


@pytest.mark.parametrize(
    ("known", "peer", "same"),
    [
        (Peer("192.0.2.1", None), Peer("192.0.2.1", None), True),
        (Peer("192.0.2.1", None), Peer("192.0.2.2", None), False),
        # A name has addresses of both families, and either may answer first.
        (Peer("192.0.2.1", None), Peer("2001:db8::1", None), None),
        (Peer("192.0.2.1", "a"), Peer("2001:db8::1", "a"), True),
        (Peer("192.0.2.1", "a"), Peer("2001:db8::1", "b"), False),
    ],
)
def test_a_peer_is_compared_as_far_as_it_can_be(
    known: Peer, peer: Peer, *, same: bool | None
) -> None:
    history = ClientHistory()
    assert history.is_known(peer) is None
    hello = Hello.from_payload(payload(4, "hello_ok", "connect"))
    history.connected(hello, known)

    assert history.is_known(peer) is same
