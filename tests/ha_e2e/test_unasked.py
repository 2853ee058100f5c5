"""Unsolicited replies of OpenClaw."""

from base64 import b64decode
from functools import partial
from operator import le

import pytest

from tests.gateway_e2e.gateway_harness import RealGatewayHarness
from tests.gateway_e2e.gateways import Gateway
from tests.gateway_e2e.model import PIXEL
from tests.gateway_e2e.nodes import admin
from tests.gateway_e2e.test_unasked import JOB, SPAWN

from .real_home import new_session
from .resident import Resident
from .voice import Played, VoiceDevice, ensure_voice_device
from .waiting import until

IMAGE = 'use image_generate {"prompt":"a cat"} | say On it.'


@pytest.fixture
async def bedroom(patient: VoiceDevice, resident: Resident) -> VoiceDevice:
    """Return another voice device, with the same agent."""
    del patient
    return await ensure_voice_device(resident, "bedroom")


async def wait_heard(device: VoiceDevice, before: int, count: int) -> list[Played]:
    """Wait until a device has announced something so often since a test began."""
    heard = await until(device.heard, lambda heard: len(heard) >= before + count)
    return heard[before:]


async def delivered(resident: Resident) -> int:
    """Return how many messages were announced."""
    counts = (await resident.diagnostics())["announcements"]["delivered"]
    assert set(counts) <= {"announced"}
    return int(counts.get("announced", 0))


async def wait_delivered(resident: Resident, count: int) -> None:
    """Wait until so many messages were announced, and not more."""
    found = await until(partial(delivered, resident), partial(le, count))
    assert found == count


async def test_sub_agents_and_jobs_are_announced_where_somebody_asked(
    gateway: Gateway, resident: Resident, patient: VoiceDevice
) -> None:
    before, silent = await delivered(resident), len(await patient.heard())
    async with admin(RealGatewayHarness(gateway)) as operator:
        async with new_session(resident, operator) as session:
            reply = await patient.say(SPAWN[4])
        assert reply.text == "I started it."

        [announced] = await wait_heard(patient, silent, 1)
        assert announced.kind == "announcement"
        assert announced.text
        assert announced.text != reply.text
        assert announced.seconds > 0

        target = {"sessionTarget": f"session:{session.key}"}
        job = await operator.request("cron.add", {**JOB, **target})
        try:
            await operator.request("cron.run", {"id": job["id"], "mode": "force"})
            _, *heard = await wait_heard(patient, silent, 2)
        finally:
            await operator.request("cron.remove", {"id": job["id"]})
    assert [one.text for one in heard] == ["good morning"]

    check = await resident.check("announcements")
    assert check["status"] == "pass"
    await wait_delivered(resident, before + 2)


async def test_a_picture_is_announced_and_shown(
    resident: Resident, bedroom: VoiceDevice
) -> None:
    before, silent = await delivered(resident), len(await bedroom.heard())
    reply = await bedroom.say(IMAGE)
    assert reply.text == "On it."

    [announced] = await wait_heard(bedroom, silent, 1)
    assert announced.kind == "announcement"
    assert announced.text != reply.text
    assert await resident.wait_picture(announced.text) == b64decode(PIXEL)
    await wait_delivered(resident, before + 1)
