"""Voice devices of a real Home Assistant."""

from dataclasses import dataclass
from typing import Any

from scripts.home_assistant.api import HomeAssistantApi

from .resident import RealHome, Resident
from .waiting import until


@dataclass(frozen=True)
class Played:
    """Something that a voice device played; see the component `loudspeaker`."""

    kind: str
    text: str
    began_after: float
    seconds: float
    longest_gap: float
    listens: bool
    error: str


@dataclass(frozen=True)
class VoiceDevice:
    """Voice device in an area."""

    api: HomeAssistantApi
    entity_id: str
    device_id: str

    async def say(self, text: str) -> Played:
        """Say something; return the reply once it was played."""
        return Played(**await self._act("say", text=text))

    async def heard(self) -> list[Played]:
        """Return the announcements."""
        return [Played(**one) for one in (await self._act("heard"))["played"]]

    async def wait_heard(self, text: str) -> Played:
        """Wait until a text was played without a question."""
        heard = await until(
            self.heard, lambda heard: text in [played.text for played in heard]
        )
        return next(played for played in heard if played.text == text)

    async def interrupt(self) -> None:
        """Interrupt the reply."""
        target = {"entity_id": self.entity_id}
        await self.api.post("services/loudspeaker/interrupt", target)

    async def configure(self, **settings: bool) -> None:
        """Change `available` or `announces`."""
        fields = {"entity_id": self.entity_id, **settings}
        await self.api.post("services/loudspeaker/configure", fields)

    async def _act(self, action: str, **fields: str) -> dict[str, Any]:
        path = f"services/loudspeaker/{action}?return_response"
        fields = {"entity_id": self.entity_id, **fields}
        answer = await self.api.post(path, fields)
        return dict(answer["service_response"][self.entity_id])


async def ensure_voice_device(resident: Resident, area: str) -> VoiceDevice:
    """Return the voice device of an area; its agent and its user have nothing to do."""
    await resident.wait_tasks(0)
    name = f"{area}_speaker"
    if device := await find_voice_device(resident.api, f"assist_satellite.{name}"):
        return device
    device = await add_voice_device(resident.api, f"{area.title()} speaker", area)
    await speak_with(resident.api, resident.home, name)
    return device


async def find_voice_device(
    api: HomeAssistantApi, entity_id: str
) -> VoiceDevice | None:
    """Return a voice device that was added."""
    for entity in await api.command("config/entity_registry/list"):
        if entity["entity_id"] == entity_id:
            return VoiceDevice(api, entity_id, entity["device_id"])
    return None


async def add_voice_device(
    api: HomeAssistantApi, name: str, area_id: str
) -> VoiceDevice:
    """Add a voice device to one of the areas of a new Home Assistant."""
    flow = await api.post("config/config_entries/flow", {"handler": "loudspeaker"})
    path = f"config/config_entries/flow/{flow['flow_id']}"
    entry = (await api.post(path, {"name": name}))["result"]
    [entity] = [
        entity
        for entity in await api.command("config/entity_registry/list")
        if entity["config_entry_id"] == entry["entry_id"]
        and entity["entity_id"].startswith("assist_satellite.")
    ]
    await api.command(
        "config/device_registry/update",
        device_id=entity["device_id"],
        area_id=area_id,
    )
    return VoiceDevice(api, entity["entity_id"], entity["device_id"])


async def speak_with(api: HomeAssistantApi, home: RealHome, device: str) -> None:
    """Make the agent's assistant, with the speech of a device, the preferred one."""
    pipeline = await api.command(
        "assist_pipeline/pipeline/create",
        name="Voice",
        language="en",
        conversation_engine=home.agents["main"],
        conversation_language="*",
        stt_engine=f"stt.{device}_ear",
        stt_language="en",
        tts_engine=f"tts.{device}_voice",
        tts_language="en",
        tts_voice=None,
        wake_word_entity=None,
        wake_word_id=None,
    )
    chosen = {"pipeline_id": pipeline["id"]}
    await api.command("assist_pipeline/pipeline/set_preferred", **chosen)
