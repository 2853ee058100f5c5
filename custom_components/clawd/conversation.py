"""The conversation agents of a Gateway."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal, override

from homeassistant.components.conversation import (
    AssistantContent,
    ChatLog,
    ConversationEntity,
    ConversationInput,
    ConversationResult,
    async_get_result_from_chat_log,
)
from homeassistant.const import CONF_MODEL, MATCH_ALL
from homeassistant.exceptions import HomeAssistantError

from .const import (
    CONF_AGENT,
    CONF_DEADLINE,
    CONF_INSTRUCTIONS,
    CONF_SESSION_NAME,
    CONF_SESSION_SCOPE,
    CONF_SHARE_USER_NAME,
    CONF_SILENCE,
    CONF_SPEECH_CLEANUP,
    CONF_THINKING,
    CONF_TOOL_PROGRESS,
    DOMAIN,
    SUBENTRY_CONVERSATION,
)
from .entity import AgentEntity
from .errors import action_error
from .gateway import AgentRun, AgentRunError, GatewayError, RequestFailedError
from .prompt import async_get_speaker, describe, join, recount, render_instructions
from .reply import deltas
from .session import Origin, Scope, named_session_key, session_key
from .speech import SpeechText, speakable

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .coordinator import ClawdConfigEntry, ClawdCoordinator

PARALLEL_UPDATES = 0
MOST_SESSIONS: Final = 256


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add an entity for each conversation agent of an entry."""
    for subentry in entry.subentries.values():
        if subentry.subentry_type == SUBENTRY_CONVERSATION:
            async_add_entities(
                [ClawdConversationEntity(entry.runtime_data.coordinator, subentry)],
                config_subentry_id=subentry.subentry_id,
            )


class ClawdConversationEntity(AgentEntity, ConversationEntity):
    """An agent of the Gateway."""

    _attr_name = None
    _attr_supports_streaming = True

    def __init__(self, coordinator: ClawdCoordinator, subentry: ConfigSubentry) -> None:
        """Start with no session whose model is known to be set."""
        super().__init__(coordinator, subentry)
        self._set_sessions: set[tuple[int, str]] = set()

    @property
    @override
    def supported_languages(self) -> list[str] | Literal["*"]:
        """Return that the agent understands any language."""
        return MATCH_ALL

    @override
    async def _async_handle_message(
        self, user_input: ConversationInput, chat_log: ChatLog
    ) -> ConversationResult:
        """Ask the agent and pass on its reply as it arrives."""
        try:
            await self._async_require_agent()
            run = await self._async_start_run(user_input, chat_log)
            await self._async_stream_reply(run, user_input, chat_log)
        except (RequestFailedError, AgentRunError) as err:
            with suppress(GatewayError):
                await self._async_look_for_agent()
            raise action_error(err) from err
        except GatewayError as err:
            raise action_error(err) from err
        return async_get_result_from_chat_log(user_input, chat_log)

    async def _async_require_agent(self) -> None:
        """See that the agent is there: Clawdbot (v3) would make up any other."""
        if not (self.coordinator.agents_current and self._agent_known):
            await self._async_look_for_agent()

    async def _async_look_for_agent(self) -> None:
        """Ask whether the agent is there by now, or there no more."""
        await self.coordinator.async_refresh_agents()
        if not self._agent_known:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="agent_deleted",
                translation_placeholders={"agent": self.subentry.title},
            )

    @property
    def _agent_known(self) -> bool:
        agents = self.coordinator.agents
        return agents.get(self.subentry.data[CONF_AGENT]) is not None

    async def _async_start_run(
        self, user_input: ConversationInput, chat_log: ChatLog
    ) -> AgentRun:
        settings = self.subentry.data
        key = self._session_key(user_input, chat_log.conversation_id)
        prompt = await self._async_prompt(user_input, chat_log)
        await self._async_set_model(key)
        return await self.coordinator.client.start_run(
            user_input.text,
            session_key=key,
            extra_system_prompt=prompt,
            thinking=settings.get(CONF_THINKING),
            silence=settings[CONF_SILENCE],
            deadline=settings[CONF_DEADLINE],
            tools=settings[CONF_TOOL_PROGRESS],
        )

    async def _async_prompt(
        self, user_input: ConversationInput, chat_log: ChatLog
    ) -> str:
        settings = self.subentry.data
        speaker = await async_get_speaker(
            self.hass, user_input, share_user_name=settings[CONF_SHARE_USER_NAME]
        )
        return join(
            " ".join(describe(speaker)),
            render_instructions(
                self.hass, self.subentry, settings[CONF_INSTRUCTIONS], speaker
            ),
            recount(chat_log.content, self.entity_id),
            user_input.extra_system_prompt,
        )

    async def _async_set_model(self, key: str) -> None:
        """Let the session use the chosen model, once a connection."""
        client, model = self.coordinator.client, self.subentry.data.get(CONF_MODEL)
        allowed = client.hello is not None and client.hello.can_choose_model
        session = (client.statistics.connects, key)
        if model is None or not allowed or session in self._set_sessions:
            return
        await client.set_model(key, model)
        if len(self._set_sessions) == MOST_SESSIONS:
            self._set_sessions.clear()
        self._set_sessions.add(session)

    async def _async_stream_reply(
        self, run: AgentRun, user_input: ConversationInput, chat_log: ChatLog
    ) -> None:
        spoken = user_input.device_id or user_input.satellite_id
        cleaned = spoken and self.subentry.data[CONF_SPEECH_CLEANUP]
        try:
            async for _ in chat_log.async_add_delta_content_stream(
                self.entity_id, deltas(run, SpeechText() if cleaned else None)
            ):
                pass
        except asyncio.CancelledError:
            with suppress(GatewayError):
                await run.abort()
            raise
        last = chat_log.content[-1]
        said = isinstance(last, AssistantContent) and (last.content or "").strip()
        if not said:
            reply = (await run.result()).text
            self._conclude(chat_log, reply, speakable(reply) if cleaned else reply)

    def _conclude(self, chat_log: ChatLog, reply: str, shown: str) -> None:
        """Let a log end with the reply where it would end with a tool, or nothing."""
        if not shown.strip():
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="unspeakable_reply" if reply else "empty_reply",
            )
        chat_log.async_add_assistant_content_without_tools(
            AssistantContent(self.entity_id, shown)
        )

    def _session_key(self, user_input: ConversationInput, conversation: str) -> str:
        settings = self.subentry.data
        if CONF_SESSION_NAME in settings:
            name = settings[CONF_SESSION_NAME]
            return named_session_key(settings[CONF_AGENT], name)
        origin = Origin(
            self.subentry.subentry_id,
            conversation,
            user_input.device_id or user_input.satellite_id,
            user_input.context.user_id,
        )
        scope = Scope(settings[CONF_SESSION_SCOPE])
        return session_key(settings[CONF_AGENT], scope, origin)
