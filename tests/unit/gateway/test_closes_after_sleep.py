"""Close reasons after system sleep."""

from custom_components.clawd.gateway import ConnectionState, SleepDetector
from tests.simulator import GatewaySimulator
from tests.unit.clients import client_of, running, wait_for_state
from tests.unit.clock import Clock

from .test_closes import DROWSY, lost, socket_of


async def test_the_reason_names_the_sleep(gateway: GatewaySimulator) -> None:
    clock = Clock()
    detector = SleepDetector(lambda: clock.wall, lambda: 0.0)
    client = client_of(gateway, DROWSY, detector)
    async with running(client):
        await client.wait_connected()
        socket_of(gateway).transport.pause_reading()
        clock.wall += 3600
        await wait_for_state(client, ConnectionState.RECONNECTING)
    assert lost(client).close_reason == "no answer after a system sleep"
