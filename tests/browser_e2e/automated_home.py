"""Home Assistant with camera, automations and OpenClaw."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from scripts.home_assistant import journey
from scripts.home_assistant.api import HomeAssistantApi, connect_new_user
from scripts.home_assistant.boot import boot
from tests.gateway_e2e.gateways import Gateway
from tests.ha_e2e.resident import RealHome, agents_of

CONFIGURATION = """
automation: !include automations.yaml
homeassistant:
  allowlist_external_dirs: [{folder}]
input_button:
  bell: {{name: Bell}}
"""
FLOWS = "config/config_entries/flow"


@asynccontextmanager
async def new_home(gateway: Gateway, folder: Path) -> AsyncIterator[RealHome]:
    """Run a Home Assistant; its camera shows a picture in the folder."""

    def prepare(config: Path) -> tuple[()]:
        (config / "automations.yaml").write_text("[]")
        return ()

    configuration = CONFIGURATION.format(folder=folder)
    async with boot(wrapper=prepare, configuration=configuration) as running:
        async with connect_new_user(running.url) as (api, token):
            fields = {"address": gateway.url, "token": gateway.token}
            entry = await journey.add_gateway(api, fields, print)
            await add_camera(api, folder / "front_door.jpg")
            entry_id = entry["entry_id"]
            agents = await agents_of(api, entry_id)
        yield RealHome(running, token, entry_id, agents)


async def add_camera(api: HomeAssistantApi, path: Path) -> None:
    """Add a camera at the front door, which is red."""
    Image.new("RGB", (640, 480), "red").save(path)
    flow = await api.post(FLOWS, {"handler": "local_file"})
    added: dict[str, Any] = await api.post(
        f"{FLOWS}/{flow['flow_id']}", {"file_path": str(path)}
    )
    assert added["type"] == "create_entry", added
