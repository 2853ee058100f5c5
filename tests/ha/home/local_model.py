"""Conversation agent of another integration."""

import asyncio
from typing import Any, Literal, override

from homeassistant.components.conversation import (
    AssistantContent,
    ChatLog,
    ConversationEntity,
    ConversationInput,
    ConversationResult,
)
from homeassistant.components.conversation.const import DATA_COMPONENT
from homeassistant.components.conversation.trace import async_get_traces
from homeassistant.const import MATCH_ALL
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import llm
from homeassistant.helpers.intent import IntentResponse
from homeassistant.setup import async_setup_component

LOCAL = "conversation.local"
ASK = "clawd__ask"


class LocalModel(ConversationEntity):
    """Model that hands each question on.

    Attributes:
        arguments: of the tool besides the question.
        tools: of the last turn, by name.
        results: of the calls, oldest first.
        told: set at the first result.
        kept: tools of an earlier turn, which Home Assistant 2026.11 keeps.

    """

    _attr_name = "Local"
    entity_id = LOCAL

    def __init__(self) -> None:
        """Initialize without turns."""
        self.arguments: dict[str, Any] = {}
        self.tools: dict[str, llm.Tool] = {}
        self.results: list[llm.ToolResult] = []
        self.answered = asyncio.Event()
        self.kept: llm.APIInstance | None = None

    @property
    @override
    def supported_languages(self) -> list[str] | Literal["*"]:
        """Return all languages."""
        return MATCH_ALL

    @override
    async def _async_handle_message(
        self, user_input: ConversationInput, chat_log: ChatLog
    ) -> ConversationResult:
        """Call the tool, whether it is offered or not."""
        context = user_input.as_llm_context("local")
        await chat_log.async_provide_llm_data(context, llm.LLM_API_ASSIST)
        if self.kept:
            self.kept.llm_context = context
            chat_log.llm_api = self.kept
        assert chat_log.llm_api
        self.tools = {tool.name: tool for tool in chat_log.llm_api.tools}
        call = llm.ToolInput(ASK, {"question": user_input.text, **self.arguments})
        asked = AssistantContent(LOCAL, tool_calls=[call])
        async for content in chat_log.async_add_assistant_content(asked):
            self.results.append(content.result)
            self.answered.set()
        chat_log.async_add_assistant_content_without_tools(
            AssistantContent(LOCAL, "As I was told.")
        )
        response = IntentResponse(user_input.language)
        response.async_set_speech("As I was told.")
        return ConversationResult(response, chat_log.conversation_id)

    async def keep_tools(self, hass: HomeAssistant) -> None:
        """Keep the tools that are offered now."""
        context = llm.LLMContext("local", Context(), "en", "conversation", None)
        self.kept = await llm.async_get_api(hass, llm.LLM_API_ASSIST, context)

    async def ask(
        self,
        hass: HomeAssistant,
        text: str = "Why is the sky blue?",
        **more: Any,  # noqa: ANN401 - of the action
    ) -> llm.ToolResult:
        """Say something to the model; return the result of its call."""
        await hass.services.async_call(
            "conversation",
            "process",
            {"agent_id": LOCAL, "text": text},
            blocking=True,
            return_response=True,
            **more,
        )
        return self.results[-1]


async def add_local_model(hass: HomeAssistant) -> LocalModel:
    """Add the model."""
    for component in ("homeassistant", "conversation", "llm"):
        assert await async_setup_component(hass, component, {})
    model = LocalModel()
    await hass.data[DATA_COMPONENT].async_add_entities([model])
    return model


def traced_usage() -> list[dict[str, Any]]:
    """Return the usage in the trace of the last conversation."""
    events = async_get_traces()[-1].as_dict()["events"]
    return [event["data"] for event in events if "stats" in (event["data"] or {})]
