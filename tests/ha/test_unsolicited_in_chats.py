"""Unsolicited replies to users of chats."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from .test_unsolicited import Home, home, silent, voice_setup

__all__ = ["home", "silent", "voice_setup"]

REPORT = "**Report**: see [this](https://e.example/a?b=c).\n\n- one\n- two"
COMPLETION = "announce:v1:agent:main:subagent:1:2"
CODE = "```\nprint(1)\n```"


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return the settings of an agent with a session for each user."""
    return {"session_scope": "user"}


@pytest.mark.parametrize("text", [REPORT, CODE, "https://e.example/a"])
async def test_a_notification_keeps_links_and_code(
    home: Home, hass_admin_user: MockUser, text: str
) -> None:
    key = await home.ask(user=hass_admin_user.id)

    await home.run_unsolicited(key, f"<think>Hm</think>{text}\n", COMPLETION)

    assert home.delivered == ([], [text])


async def test_a_scheduled_job_keeps_its_links(
    home: Home, hass_admin_user: MockUser
) -> None:
    key = await home.ask(user=hass_admin_user.id)

    await home.run_job(key, summary=REPORT)

    assert home.delivered == ([], [REPORT])


@pytest.mark.parametrize("text", ["NO_REPLY", "<think>Hm", "…", "\n"])
async def test_nothing_is_told_of_a_reply_that_says_nothing(
    hass: HomeAssistant, home: Home, hass_admin_user: MockUser, text: str
) -> None:
    key = await home.ask(user=hass_admin_user.id)

    await home.run_unsolicited(key, text)

    assert home.delivered == ([], [])
    assert hass.data.get("persistent_notification", {}) == {}
