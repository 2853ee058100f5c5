"""Coordinator of the Gateway's text to speech."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..const import DOMAIN, LOGGER
from ..gateway import (
    ConnectionState,
    Event,
    GatewayClient,
    GatewayError,
    SpeechStatus,
    Transition,
    TtsCommands,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONFIG_CHANGED: Final = "config.changed"


@dataclass
class SpeechStatistics:
    """Counters of text-to-speech.

    Attributes:
        slowest: seconds of the slowest answer.

    """

    spoken: int = 0
    slowest: float = 0.0
    failed: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)


class SpeechCoordinator(DataUpdateCoordinator[SpeechStatus]):
    """Coordinator of text-to-speech providers."""

    config_entry: ConfigEntry[Any]

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry[Any], client: GatewayClient
    ) -> None:
        """Initialize without a provider; `async_start()` comes next."""
        super().__init__(hass, LOGGER, config_entry=entry, name=f"{DOMAIN} speech")
        self.client = client
        self.data = SpeechStatus()
        self.statistics = SpeechStatistics()

    @property
    def available(self) -> bool:
        """Return whether something can speak now."""
        return self.client.hello is not None and self.data.configured

    async def async_start(self) -> Mapping[str, Callable[[], None]]:
        """Start following the status.

        Return the unsubscribes.
        """
        await self.async_refresh_status()
        return {
            "speech after connecting": self.client.subscribe_state(
                self._async_handle_transition
            ),
            # OpenClaw takes on most settings without a restart.
            "speech after changes": self.client.subscribe(
                CONFIG_CHANGED, self._async_handle_change
            ),
        }

    async def async_refresh_status(self) -> None:
        """Refresh the status and update listeners.

        Errors leave it unchanged.
        """
        hello = self.client.hello
        if hello is None:
            return
        # Clawdbot has a status, but nothing that answers with audio.
        if TtsCommands.SPEAK.name not in hello.methods:
            self.async_set_updated_data(SpeechStatus())
            return
        try:
            self.async_set_updated_data(await self.client.tts.status())
        except GatewayError as err:
            LOGGER.debug("Speech status not refreshed: %s", err.code)
            # The traceback would keep the lost connection alive.
            err.with_traceback(None)

    async def _async_handle_transition(self, transition: Transition) -> None:
        self.async_update_listeners()
        if transition.state is ConnectionState.CONNECTED:
            await self.async_refresh_status()

    async def _async_handle_change(self, _: Event) -> None:
        await self.async_refresh_status()
