"""Scenarios of voice devices with a real Home Assistant and a real OpenClaw."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.gateway_e2e.gateways import Gateway, serve_gateway

from .real_home import RealHome, Resident, resident_of, serve_home
from .voice import VoiceDevice, add_voice_device, speak_with

KITCHEN = "Kitchen speaker"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Run OpenClaw."""
    with serve_gateway(4) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def home(gateway: Gateway) -> Iterator[RealHome]:
    """Run Home Assistant."""
    with serve_home(gateway) as home:
        yield home


@pytest.fixture
async def resident(home: RealHome) -> AsyncIterator[Resident]:
    """Return the user of the home."""
    async with resident_of(home) as resident:
        yield resident


@pytest.fixture
async def kitchen(home: RealHome, resident: Resident) -> VoiceDevice:
    """Add a voice device to the kitchen."""
    device = await add_voice_device(resident.api, KITCHEN, "kitchen")
    await speak_with(resident.api, home, "kitchen_speaker")
    return device


async def test_spoken_question_is_answered(kitchen: VoiceDevice) -> None:
    reply = await kitchen.say("say The light in the kitchen is on.")
    assert reply.text == "The light in the kitchen is on."
    assert not reply.error
    assert reply.seconds == pytest.approx(len(reply.text) * 0.02, rel=0.1)
    assert not reply.listens
