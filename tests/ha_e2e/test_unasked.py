"""Unsolicited replies of OpenClaw."""

from base64 import b64decode
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.gateway_e2e.gateway_harness import RealGatewayHarness
from tests.gateway_e2e.gateways import Gateway
from tests.gateway_e2e.model import PIXEL
from tests.gateway_e2e.nodes import admin
from tests.gateway_e2e.test_unasked import JOB, SPAWN

from .real_home import RealHome, Resident, resident_of, serve_home, until
from .voice import Played, VoiceDevice, add_voice_device, speak_with

IMAGE = 'use image_generate {"prompt":"a cat"} | say On it.'


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
    return await add_speaker(home, resident, "kitchen")


@pytest.fixture
async def bedroom(home: RealHome, resident: Resident) -> VoiceDevice:
    """Add a voice device to the bedroom."""
    return await add_speaker(home, resident, "bedroom")


async def add_speaker(home: RealHome, resident: Resident, area: str) -> VoiceDevice:
    """Add a voice device to an area."""
    device = await add_voice_device(resident.api, f"{area} speaker", area)
    await speak_with(resident.api, home, f"{area}_speaker")
    await resident.be_patient()
    return device


async def wait_heard(device: VoiceDevice, count: int) -> list[Played]:
    """Wait until a device has announced something so often."""
    return await until(device.heard, lambda heard: len(heard) >= count)


async def delivered(resident: Resident) -> int:
    """Return how many messages were announced."""
    counts = (await resident.diagnostics())["announcements"]["delivered"]
    assert set(counts) <= {"announced"}
    return int(counts.get("announced", 0))


async def test_sub_agents_and_jobs_are_announced_where_somebody_asked(
    gateway: Gateway, resident: Resident, kitchen: VoiceDevice
) -> None:
    before = await delivered(resident)
    reply = await kitchen.say(SPAWN[4])
    assert reply.text == "I started it."

    [announced] = await wait_heard(kitchen, 1)
    assert announced.kind == "announcement"
    assert announced.text
    assert announced.text != reply.text
    assert announced.seconds > 0

    async with admin(RealGatewayHarness(gateway)) as operator:
        rows = (await operator.request("sessions.list"))["sessions"]
        ours = [row for row in rows if ":ha-" in row["key"]]
        key = max(ours, key=lambda row: row["updatedAt"])["key"]
        target = {"sessionTarget": f"session:{key}"}
        job = await operator.request("cron.add", {**JOB, **target})
        await operator.request("cron.run", {"id": job["id"], "mode": "force"})
        heard = await wait_heard(kitchen, 2)
        await operator.request("cron.remove", {"id": job["id"]})
    assert [one.text for one in heard[1:]] == ["good morning"]

    check = await resident.check("announcements")
    assert check["status"] == "pass"
    assert await delivered(resident) == before + 2


async def test_a_picture_is_announced_and_shown(
    resident: Resident, bedroom: VoiceDevice
) -> None:
    before = await delivered(resident)
    reply = await bedroom.say(IMAGE)
    assert reply.text == "On it."

    [announced] = await wait_heard(bedroom, 1)
    assert announced.kind == "announcement"
    assert announced.text != reply.text
    assert await resident.wait_picture(announced.text) == b64decode(PIXEL)
    assert await delivered(resident) == before + 1
