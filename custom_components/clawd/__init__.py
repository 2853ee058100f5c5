"""The OpenClaw Gateway integration."""

import asyncio
from functools import partial
import ssl
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.entity_platform import async_get_platforms

from .actions.start_task import async_cancel_all
from .assist.agent_questions import async_track_questions
from .assist.assistant import async_create_assistants
from .assist.handoff import async_resume_handoffs
from .assist.listeners import async_load_session_listeners, get_listeners
from .assist.media_cache import async_remove_media, async_setup_media_cache
from .assist.media_view import MediaView
from .assist.sessions import async_load_agent_sessions, get_sessions
from .assist.speech import speakable
from .assist.throwaway import async_track_unused
from .assist.unsolicited import UnsolicitedReplies
from .assist.vision import AgentVision
from .assist.warm_up import async_track_starts
from .client_factory import (
    async_get_credentials,
    async_get_endpoint,
    get_history,
    new_client,
    remove_history,
)
from .const import CONF_CA_CERTIFICATE, DOMAIN
from .coordinator import ClawdCoordinator, ClawdRuntime, async_create_background_task
from .device_automation.events import (
    async_track_gateway_events,
    async_track_self_test_events,
)
from .entity import async_create_devices
from .flows.unique_id import async_update_unique_id
from .home.node import async_start_node
from .home.offer import async_track_home_offer
from .home.service import HomeService, has_home_access
from .issues.connection import async_track_connection_issues, async_track_scope_issue
from .issues.registry import async_delete_issues_of_unloaded_entries
from .issues.stores import async_track_store_issue
from .migration import async_migrate_entry
from .runtime.counts import count_events, count_listeners
from .runtime.report_history import ReportHistory
from .runtime.speech import SpeechCoordinator
from .selftest.issue import async_track_issue
from .selftest.resources import async_get_tracker
from .selftest.schedule import async_schedule_self_tests
from .services import async_setup_services
from .storage import DeviceTokenStore, async_remove_entry_data, async_remove_identity
from .util.domain_data import remove_domain_data
from .validation import async_validate_entry, invalid_entry

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import EntityPlatform
    from homeassistant.helpers.typing import ConfigType

    from .coordinator import ClawdConfigEntry
    from .gateway import Endpoint

__all__ = ["async_migrate_entry"]

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = (
    Platform.AI_TASK,
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CONVERSATION,
    Platform.EVENT,
    Platform.SENSOR,
)
VOICE_TASK: Final = f"{DOMAIN} voice"


async def async_setup(
    hass: HomeAssistant,
    config: ConfigType,  # noqa: ARG001 - Home Assistant's signature
) -> bool:
    """Set up the integration."""
    await async_setup_services(hass)
    await async_setup_media_cache(hass)
    hass.http.register_view(MediaView())
    async_delete_issues_of_unloaded_entries(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ClawdConfigEntry) -> bool:
    """Set up a Gateway."""
    async_validate_entry(hass, entry)
    try:
        endpoint = await async_get_endpoint(hass, entry.data, entry.options)
    except ssl.SSLError as err:
        raise invalid_entry(CONF_CA_CERTIFICATE) from err
    history = get_history(hass, entry.entry_id)
    tokens = DeviceTokenStore(
        hass, entry.entry_id, endpoint.origin, history.store_failed
    )
    credentials = await async_get_credentials(hass, entry.data, tokens)
    client = new_client(endpoint, credentials, entry.options, history)
    events_before = count_events(client)
    coordinator = ClawdCoordinator(hass, entry, client, credentials)
    tracker = async_get_tracker(entry)
    for name, unsubscribe in coordinator.async_subscribe().items():
        tracker.async_track(entry, name, unsubscribe)
    # Before the first attempt: a refused one fails the setup and has an issue.
    unsubscribe = async_track_connection_issues(hass, entry, coordinator)
    tracker.async_track(entry, "connection issues", unsubscribe)
    unsubscribe = async_track_scope_issue(hass, entry, client)
    tracker.async_track(entry, "scope issue", unsubscribe)
    unsubscribe = async_track_store_issue(hass, entry)
    tracker.async_track(entry, "store issue", unsubscribe)
    unsubscribe = async_track_gateway_events(hass, entry, client)
    tracker.async_track(entry, "connection events", unsubscribe)
    await coordinator.async_connect()
    await async_update_unique_id(hass, entry, client)
    reports = ReportHistory(hass, entry)
    await reports.async_load()
    speech = SpeechCoordinator(hass, entry, client)
    entry.runtime_data = ClawdRuntime(
        client,
        credentials,
        coordinator,
        reports,
        speech,
        events_before=events_before,
        platforms_before=_async_platforms(hass, entry),
    )
    # Called after all unsubscribes below, and before the tasks are cancelled.
    entry.async_on_unload(entry.runtime_data.end)
    try:
        await _async_set_up_agents(hass, entry, endpoint)
    except BaseException:
        # Home Assistant ends the tasks and listeners of the entry, but no entities.
        await _async_unload_platforms(hass, entry)
        raise
    return True


async def _async_set_up_agents(
    hass: HomeAssistant, entry: ClawdConfigEntry, endpoint: Endpoint
) -> None:
    """Set up services and entities of a connected Gateway."""
    runtime, tracker = entry.runtime_data, async_get_tracker(entry)
    await _async_start_services(hass, entry, endpoint)
    async_track_issue(hass, entry)
    unsubscribe = async_track_self_test_events(hass, entry, runtime.reports)
    tracker.async_track(entry, "self-test events", unsubscribe)
    async_schedule_self_tests(hass, entry)
    async_create_devices(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    # After the platforms: event entities must see messages missed meanwhile.
    stop = UnsolicitedReplies(hass, entry, get_listeners(entry)).async_start()
    tracker.async_track(entry, "unsolicited replies", stop)
    await async_create_assistants(hass, entry)
    await _async_load_voice(hass, entry)
    tracker.async_track(entry, "warm-up", async_track_starts(hass, entry))
    await async_resume_handoffs(hass, entry)
    # After runs were resumed: their sessions are in use.
    unsubscribe = async_track_unused(hass, entry)
    tracker.async_track(entry, "unused sessions", unsubscribe)
    runtime.listener_baseline = count_listeners(runtime.client)
    if runtime.node:
        runtime.node.listener_baseline = count_listeners(runtime.node.client)
    check_voice = partial(_async_check_voice, hass, entry)
    unsubscribe = runtime.speech.async_add_listener(check_voice)
    tracker.async_track(entry, "voice", unsubscribe)
    entry.async_on_unload(entry.add_update_listener(async_reload_entry))


async def _async_start_services(
    hass: HomeAssistant, entry: ClawdConfigEntry, endpoint: Endpoint
) -> None:
    """Start the services for agents' runs.

    Each lasts until the entry is unloaded.
    """
    tracker = async_get_tracker(entry)
    for name, unsubscribe in (await entry.runtime_data.speech.async_start()).items():
        tracker.async_track(entry, name, unsubscribe)
    await async_load_agent_sessions(hass, entry)
    tracker.async_track(
        entry, "loop monitor", entry.runtime_data.loop_monitor.start(hass.loop)
    )
    unsubscribe = async_track_questions(hass, entry)
    tracker.async_track(entry, "questions", unsubscribe)
    unsubscribe = async_track_home_offer(hass, entry)
    tracker.async_track(entry, "home offer", unsubscribe)
    if has_home_access(entry):
        home = HomeService(hass, entry, speakable, AgentVision(hass, entry))
        home.async_start()
        tracker.async_track(entry, "home", home.async_stop)
        stop = await async_start_node(hass, entry, endpoint, home)
        tracker.async_track(entry, "node", stop)
    await async_load_session_listeners(hass, entry)


async def _async_unload_platforms(hass: HomeAssistant, entry: ClawdConfigEntry) -> bool:
    """Unload those platforms that are loaded."""
    loaded = _async_platforms(hass, entry) - entry.runtime_data.platforms_before
    domains = [platform.domain for platform in loaded]
    return await hass.config_entries.async_unload_platforms(entry, domains)


@callback
def _async_platforms(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> frozenset[EntityPlatform]:
    """Return the listed platforms of an entry."""
    return frozenset(
        platform
        for platform in async_get_platforms(hass, DOMAIN)
        if platform.config_entry is entry
    )


async def _async_load_voice(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Set up text-to-speech once available.

    It loads components needed for nothing else: a cache, ffmpeg, media sources.
    """
    runtime = entry.runtime_data
    if runtime.speech.data.configured:
        await hass.config_entries.async_forward_entry_setups(entry, [Platform.TTS])
        runtime.voice_loaded = True


@callback
def _async_check_voice(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Set up text-to-speech if newly available."""
    runtime = entry.runtime_data
    # A second task would set the platform up twice, and one that starts during an
    # unload would leave it behind.
    needed = runtime.speech.data.configured and not runtime.voice_loaded
    loaded = entry.state is ConfigEntryState.LOADED
    if needed and loaded and runtime.voice_task is None:
        runtime.voice_task = async_create_background_task(
            hass, entry, _async_load_voice(hass, entry), VOICE_TASK
        )


async def async_reload_entry(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Reload an entry after changed settings."""
    hass.config_entries.async_schedule_reload(entry.entry_id)


async def async_unload_entry(hass: HomeAssistant, entry: ClawdConfigEntry) -> bool:
    """Unload a Gateway."""
    await async_cancel_all(entry)
    await get_sessions(entry).async_save()
    if voice_task := entry.runtime_data.voice_task:
        # It would set up text-to-speech after the others are unloaded.
        voice_task.cancel()
        await asyncio.wait([voice_task])
    return await _async_unload_platforms(hass, entry)


async def async_remove_entry(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Remove the stored data of a Gateway."""
    remove_history(hass, entry.entry_id)
    remove_domain_data(hass, entry)
    await async_remove_media(hass, entry.entry_id)
    await async_remove_entry_data(hass, entry.entry_id)
    # All Gateways know Home Assistant by one identity.
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    if entries in ([], [entry]):
        await async_remove_identity(hass)
