"""AI tasks of a Gateway's agents."""

import time
from typing import TYPE_CHECKING, Any, Final, cast, override

from homeassistant.components.ai_task import (
    AITaskEntity,
    AITaskEntityFeature,
    GenDataTask,
    GenDataTaskResult,
    GenImageTask,
    GenImageTaskResult,
)
from homeassistant.components.conversation import AssistantContent, ChatLog
from homeassistant.core import callback

from .assist.attachments import async_read_files, attachment_type
from .assist.errors import translated_error
from .assist.evaluation import (
    EVALUATE,
    evaluation_result,
    evaluation_structure,
    evaluation_text,
)
from .assist.generation import async_generate
from .assist.images import async_generate_image, async_offers_images
from .assist.question import is_blank
from .assist.turns import Task
from .assist.usage import async_trace_usage
from .const import CONF_AGENT, CONF_AGENT_TOOLS, DOMAIN, SUBENTRY_AI_TASK
from .coordinator import async_create_background_task, subentries_of_type
from .entity import AgentEntity

if TYPE_CHECKING:
    from homeassistant.components.conversation import Attachment, SystemContent
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .assist.attachments import File
    from .assist.generation import Answer
    from .coordinator import ClawdConfigEntry

PARALLEL_UPDATES = 0

IMAGE_TOOL_TASK: Final = f"{DOMAIN} image tool"
# Seconds after which the image tool is looked for again: its provider may be configured
# meanwhile. Not at each update, of which each chat has some.
MAX_IMAGE_TOOL_AGE: Final = 600.0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the AI tasks of an entry."""
    for subentry in subentries_of_type(entry, SUBENTRY_AI_TASK):
        entity = ClawdAITaskEntity(entry.runtime_data.coordinator, subentry)
        await entity.async_check_image_tool()
        async_add_entities([entity], config_subentry_id=subentry.subentry_id)


class ClawdAITaskEntity(AgentEntity, AITaskEntity):
    """AI task entity of an agent or model.

    Attributes:
        offers_images: whether the Gateway has an image generation tool.

    """

    _attr_name = None
    offers_images = False
    _checked_connection: int | None = None
    _checked_at = 0.0

    @property
    @override
    def supported_features(self) -> AITaskEntityFeature:
        """Return the supported features."""
        features = (
            AITaskEntityFeature.GENERATE_DATA
            | AITaskEntityFeature.SUPPORT_ATTACHMENTS
            | EVALUATE
        )
        if self.offers_images:
            features |= AITaskEntityFeature.GENERATE_IMAGE
        return features

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Update the features after a reconnect, and from time to time."""
        super()._handle_coordinator_update()
        connected = self.coordinator.client.statistics.connects
        age = time.monotonic() - self._checked_at
        due = connected != self._checked_connection or age > MAX_IMAGE_TOOL_AGE
        if self.coordinator.agents_current and due:
            entry = self.coordinator.config_entry
            async_create_background_task(
                self.hass, entry, self._async_update_features(), IMAGE_TOOL_TASK
            )

    async def async_check_image_tool(self) -> None:
        """Look for the image tool of the agent."""
        self._checked_connection = self.coordinator.client.statistics.connects
        self._checked_at = time.monotonic()
        entry, agent = self.coordinator.config_entry, self.subentry.data[CONF_AGENT]
        offers_images = await async_offers_images(entry, agent)
        if offers_images is None:
            # The next update asks again.
            self._checked_connection = None
        else:
            self.offers_images = offers_images

    async def _async_update_features(self) -> None:
        offered = self.offers_images
        await self.async_check_image_tool()
        if self.offers_images is not offered:
            self.async_write_ha_state()

    @override
    async def _async_generate_data(
        self, task: GenDataTask, chat_log: ChatLog
    ) -> GenDataTaskResult:
        """Generate text or structured data."""
        if task.llm_api is not None:
            # Only tools of the node reach an agent.
            raise translated_error("llm_api_unsupported")
        if task.structure is None and not task.attachments:
            _require_words(task.instructions)
        answer = await self._async_ask(
            Task(
                text=task.instructions,
                instructions=_system_prompt(chat_log),
                files=await self._async_read(task.attachments),
                structure=task.structure,
                with_tools=self.subentry.data[CONF_AGENT_TOOLS],
            )
        )
        chat_log.async_add_assistant_content_without_tools(
            AssistantContent(self.entity_id, answer.text)
        )
        async_trace_usage(answer.last, answer.usage)
        data = answer.text if task.structure is None else answer.data
        return GenDataTaskResult(chat_log.conversation_id, data)

    @override
    async def _async_generate_image(
        self, task: GenImageTask, chat_log: ChatLog
    ) -> GenImageTaskResult:
        """Have a picture made."""
        if task.attachments:
            raise translated_error("image_from_image")
        _require_words(task.instructions)
        image = await async_generate_image(
            self.hass, self.coordinator, self.subentry, task.instructions
        )
        async_trace_usage(image.usage)
        chat_log.async_add_assistant_content_without_tools(
            AssistantContent(self.entity_id, None)
        )
        return GenImageTaskResult(
            image.content, chat_log.conversation_id, image.mime_type
        )

    async def _async_evaluate(self, task: Any) -> Any:  # noqa: ANN401 - of 2026.11
        """Evaluate questions about a state or picture."""
        answer = await self._async_ask(
            Task(
                text=evaluation_text(task.questions, task.state),
                files=await self._async_read(task.attachments),
                structure=evaluation_structure(task.questions),
                with_tools=self.subentry.data[CONF_AGENT_TOOLS],
            )
        )
        return evaluation_result(task.questions, cast("dict[str, Any]", answer.data))

    async def _async_ask(self, task: Task) -> Answer:
        return await async_generate(self.hass, self.coordinator, self.subentry, task)

    async def _async_read(
        self, attachments: list[Attachment] | None
    ) -> tuple[File, ...]:
        paths = [
            (file.path, attachment_type(file.media_content_id, file.mime_type))
            for file in attachments or ()
        ]
        return await async_read_files(self.hass, paths)


def _require_words(instructions: str) -> None:
    """Raise if instructions are blank, as those of a template may be."""
    if is_blank(instructions):
        raise translated_error("blank_question")


def _system_prompt(chat_log: ChatLog) -> str:
    """Return the system prompt of the task."""
    system = chat_log.content[0]
    if TYPE_CHECKING:
        assert isinstance(system, SystemContent)
    return system.content
