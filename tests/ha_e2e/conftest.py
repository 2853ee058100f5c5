"""Fixtures: a real Home Assistant, and a real OpenClaw.

The tests share one OpenClaw, and those of a module one Home Assistant, in any order.
A test leaves both as it found them, or the others look only at what is theirs.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from scripts.home_assistant import home as demo
from scripts.home_assistant.api import HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import boot
from tests.gateway_e2e.clients import serve_ready_gateway
from tests.gateway_e2e.gateways import Gateway

from .installations import installation
from .real_home import new_home, resident_of, shared
from .resident import RealHome, Resident
from .voice import VoiceDevice, ensure_voice_device

# Seconds: the default, and the maximum, which a busy machine does not need.
SHORT_HANDOFF = 12
LONG_HANDOFF = 60


@pytest.fixture
async def api() -> AsyncIterator[HomeAssistantApi]:
    """Run a fresh Home Assistant."""
    async with (
        boot(installation=installation(), configuration=demo.CONFIGURATION) as running,
        connect_new_user(running.url) as (api, _),
    ):
        yield api


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """Run OpenClaw, which makes images, for the homes of all tests in turn."""
    # A start takes half a minute on a busy machine, and so does the first run.
    with serve_ready_gateway(4, "kitchen", images=True) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def private_texts() -> tuple[str, ...]:
    """Return what the log of the module's home must not hold."""
    return ()


@pytest.fixture(scope="module")
def home(gateway: Gateway, private_texts: tuple[str, ...]) -> Iterator[RealHome]:
    """Run Home Assistant with OpenClaw for a module; check its log."""
    with shared(new_home(gateway)) as home:
        yield home
        log = home.log.read_text()
        assert "Traceback" not in log
        for text in (gateway.token, *private_texts):
            assert text not in log


@pytest.fixture
async def resident(home: RealHome) -> AsyncIterator[Resident]:
    """Return the user of the home."""
    async with resident_of(home) as resident:
        yield resident


@pytest.fixture
async def device(resident: Resident) -> VoiceDevice:
    """Return the voice device in the kitchen, which nobody waits for."""
    return await ensure_voice_device(resident, "kitchen")


@pytest.fixture
async def kitchen(device: VoiceDevice, resident: Resident) -> VoiceDevice:
    """Return the voice device; long tasks are handed off."""
    await resident.set_handoff(SHORT_HANDOFF)
    return device


@pytest.fixture
async def patient(device: VoiceDevice, resident: Resident) -> VoiceDevice:
    """Return the voice device; it waits for a reply, also on a busy machine."""
    await resident.set_handoff(LONG_HANDOFF)
    return device
