"""Real Home Assistant with a real OpenClaw."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from custom_components.clawd.gateway import Endpoint, GatewayClient
from scripts.home_assistant import journey
from scripts.home_assistant.api import connect, connect_new_user
from scripts.home_assistant.boot import boot
from scripts.home_assistant.home import expose
from tests.gateway_e2e.clients import client_at, new_credentials, running
from tests.gateway_e2e.gateways import Gateway

from .installations import installation
from .resident import RealHome, Resident, agents_of

KITCHEN = "light.kitchen_light"
HALL = "light.hall_light"
LOCK = "lock.front_door"
GARAGE = "cover.garage_door"
CAMERA = "camera.front_door"
EXPOSED = (KITCHEN, HALL, LOCK, GARAGE, "script.movie_time", "script.long_walk")
NAMES = ("Kitchen light", "Hall light", "Front door", "Garage door", "Movie time")
CONFIGURATION = """\
camera:
  - platform: peephole
input_boolean:
  bolt:
    initial: true
  gate:
    initial: false
script:
  movie_time:
    alias: Movie time
    description: Prepares the living room for a movie.
    sequence:
      - action: light.turn_on
        target: {entity_id: light.hall_light}
  long_walk:
    alias: Long walk
    description: Takes a minute.
    sequence:
      - action: light.turn_on
        target: {entity_id: light.hall_light}
      - delay: 60
template:
  - light:
      - name: Kitchen light
        unique_id: kitchen_light
        turn_on: []
        turn_off: []
      - name: Hall light
        unique_id: hall_light
        turn_on: []
        turn_off: []
    lock:
      - name: Front door
        unique_id: front_door
        state: "{{ is_state('input_boolean.bolt', 'on') }}"
        lock:
          action: input_boolean.turn_on
          target: {entity_id: input_boolean.bolt}
        unlock:
          action: input_boolean.turn_off
          target: {entity_id: input_boolean.bolt}
    cover:
      - name: Garage door
        unique_id: garage_door
        device_class: garage
        state: "{{ is_state('input_boolean.gate', 'on') }}"
        open_cover:
          action: input_boolean.turn_on
          target: {entity_id: input_boolean.gate}
        close_cover:
          action: input_boolean.turn_off
          target: {entity_id: input_boolean.gate}
"""
NEW_CONVERSATION = "button.main_new_conversation"
COMPONENTS = Path(__file__).parent / "components"
LOUDSPEAKER = COMPONENTS / "loudspeaker"
PEEPHOLE = COMPONENTS / "peephole"


@contextmanager
def shared[T](serving: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Run for tests that share it, each with a loop of its own."""
    with asyncio.Runner() as runner:
        value = runner.run(_enter(serving))
        try:
            yield value
        finally:
            runner.run(_leave(serving))


@asynccontextmanager
async def new_home(gateway: Gateway) -> AsyncIterator[RealHome]:
    """Run a Home Assistant with home access."""
    async with boot(
        installation=installation(),
        configuration=CONFIGURATION,
        components=[LOUDSPEAKER, PEEPHOLE],
    ) as running:
        async with connect_new_user(running.url) as (api, token):
            # Later, scripts would be published after a delay only.
            await expose(api, *EXPOSED)
            fields = {"address": gateway.url, "token": gateway.token}
            entry = await journey.add_gateway(api, fields, print, "control")
            entry_id = entry["entry_id"]
            agents = await agents_of(api, entry_id)
            home = RealHome(running, token, entry_id, agents)
            resident = Resident(home, api, now())
            await resident.wait_visible()
        yield home


@asynccontextmanager
async def resident_of(home: RealHome) -> AsyncIterator[Resident]:
    """Connect to a home, as its user."""
    async with connect(home.url, home.token) as api:
        yield Resident(home, api, now())


@asynccontextmanager
async def another_client(gateway: Gateway) -> AsyncIterator[GatewayClient]:
    """Connect to a Gateway as one of its other clients."""
    endpoint = Endpoint("127.0.0.1", gateway.port)
    async with running(client_at(endpoint, new_credentials(gateway.token))) as client:
        yield client


@dataclass
class NewSession:
    """Session of the Gateway that a question begins; its key follows the question."""

    key: str = ""


@asynccontextmanager
async def new_session(
    resident: Resident, client: GatewayClient
) -> AsyncIterator[NewSession]:
    """Find the session that a question to the agent begins meanwhile."""
    await resident.act("button.press", NEW_CONVERSATION)
    before, session = await _sessions_of_homes(client), NewSession()
    yield session
    [session.key] = await _sessions_of_homes(client) - before


async def _sessions_of_homes(client: GatewayClient) -> set[str]:
    rows = (await client.request("sessions.list"))["sessions"]
    return {row["key"] for row in rows if ":ha-" in row["key"]}


def now() -> str:
    """Return the time as the logbook takes it."""
    return datetime.now(UTC).isoformat()


async def _enter[T](serving: AbstractAsyncContextManager[T]) -> T:
    return await serving.__aenter__()


async def _leave(serving: AbstractAsyncContextManager[object]) -> None:
    await serving.__aexit__(None, None, None)
