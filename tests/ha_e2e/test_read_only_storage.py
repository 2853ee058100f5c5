"""Read-only storage of a real Home Assistant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from typing import Any

import pytest

from scripts.home_assistant import journey
from scripts.home_assistant.api import HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import RunningHomeAssistant, boot
from scripts.home_assistant.gateway import Gateway
from scripts.home_assistant.reply import ask
from tests.simulator import GatewaySimulator, Reply

from .installations import installation
from .private_mounts import (
    can_mount,
    remount_storage,
    run_with_own_storage_mount,
    storage_of,
)

pytestmark = pytest.mark.skipif(
    not can_mount(), reason="private mounts are not allowed here"
)
ANSWER = "It is on."


@dataclass
class Home:
    """A Home Assistant with an assistant."""

    running: RunningHomeAssistant
    api: HomeAssistantApi
    entry_id: str
    pipeline: str

    async def ask(self) -> str:
        """Ask the assistant; return its reply."""
        return (await ask(self.api, self.pipeline, "Is it on?", lambda _: None)).text

    async def check(self) -> dict[str, Any]:
        """Run the self-test; return its check of the storage."""
        report = await journey.self_test(self.api, self.entry_id)
        [check] = [c for c in report["checks"] if c["id"] == "storage_writes"]
        return dict(check)

    async def issues(self) -> list[str]:
        """Return the texts of our repairs."""
        answer = await self.api.command("repairs/list_issues")
        return [
            json.dumps(issue["translation_placeholders"])
            for issue in answer["issues"]
            if issue["domain"] == journey.DOMAIN
        ]

    def stored_tokens(self) -> str:
        """Return the stored device tokens."""
        storage = storage_of(self.running.folder)
        files = storage.glob(f"{journey.DOMAIN}.device_token.*")
        return "".join(path.read_text() for path in files)


@asynccontextmanager
async def home_of(gateway: GatewaySimulator) -> AsyncIterator[Home]:
    """Run a Home Assistant with a Gateway."""
    gateway.script(Reply(ANSWER))
    config = Gateway(gateway.host, gateway.port, ssl=False, token=gateway.token)
    async with (
        boot(
            installation=installation(), wrapper=run_with_own_storage_mount
        ) as running,
        connect_new_user(running.url) as (api, _),
    ):
        entry = await journey.add_gateway(api, config.fields, print)
        _, pipeline = await journey.create_assistant(api, entry["entry_id"])
        yield Home(running, api, entry["entry_id"], pipeline)


async def give_new_token(gateway: GatewaySimulator, token: str) -> None:
    """Drop the connection, and give the next one a new device token."""
    gateway.edit("hello-ok", lambda hello: hello["auth"].update(deviceToken=token))
    connects = len(gateway.received("agents.list"))
    gateway.drop()
    await gateway.wait_for_request("agents.list", connects + 1)


async def test_connection_and_questions_outlive_a_read_only_storage() -> None:
    async with GatewaySimulator() as gateway, home_of(gateway) as home:
        assert (await home.check())["status"] == "pass"
        assert await home.issues() == []

        await remount_storage(home.running, "ro")
        await give_new_token(gateway, "a-token-for-a-full-disk")
        assert await home.ask() == ANSWER
        check = await home.check()
        assert (check["status"], check["origin"]) == ("fail", "home_assistant")
        assert any("clawd.device_token" in line for line in check["details"])
        assert ["clawd.device_token" in text for text in await home.issues()] == [True]
        assert "a-token-for-a-full-disk" not in home.stored_tokens()
        reload = {"entry_id": home.entry_id}
        await home.api.post("services/homeassistant/reload_config_entry", reload)
        assert await home.ask() == ANSWER

        await remount_storage(home.running, "rw")
        assert (await home.check())["status"] == "pass"
        assert await home.issues() == []
        assert "a-token-for-a-full-disk" in home.stored_tokens()
        assert await home.ask() == ANSWER
