"""What entities know of a Gateway: pushed state, availability, reauthentication."""

from dataclasses import dataclass, field
import logging
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .const import DOMAIN, LOGGER, MODELS
from .errors import setup_error
from .gateway import (
    AgentCatalogue,
    ConnectionLostError,
    ConnectionState,
    Credentials,
    GatewayClient,
    GatewayError,
    Pause,
    Transition,
    pause_of,
)
from .issues import async_update_agent_issue, async_update_connection_issues
from .ledger import async_get_ledger
from .redaction import known_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .selftest.history import ReportHistory


@dataclass
class ClawdRuntime:
    """Everything an entry holds while it is loaded.

    Attributes:
        listener_baseline: listeners of each event, counted when set-up was done.
        reports: of the last self-tests.

    """

    client: GatewayClient
    credentials: Credentials
    coordinator: ClawdCoordinator
    reports: ReportHistory
    listener_baseline: Mapping[str, int] = field(default_factory=dict)


# What a person has to mend who may be asked for it in a form.
REAUTHENTICATE: Final = (Pause.TOKEN, Pause.SCOPES, Pause.DEVICE)
# Where it shows what is wrong, and what is not.
SETTLED: Final = (ConnectionState.CONNECTED, ConnectionState.PAUSED)

type ClawdConfigEntry = ConfigEntry[ClawdRuntime]


class ClawdCoordinator(DataUpdateCoordinator[ConnectionState]):
    """The connection's state, pushed by the client."""

    config_entry: ClawdConfigEntry
    agents: AgentCatalogue

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ClawdConfigEntry,
        client: GatewayClient,
        credentials: Credentials,
    ) -> None:
        """Follow the state of `client` as long as the entry is loaded."""
        super().__init__(hass, LOGGER, config_entry=entry, name=DOMAIN)
        self.client = client
        self.data = client.state
        self.last_disconnect: Transition | None = None
        self._credentials = credentials
        self.agents_current = False
        self._was_connected = False
        self._refusal = ""
        ledger = async_get_ledger(entry)
        for listener in (self._async_follow, self._async_follow_agents):
            unsubscribe = client.subscribe_state(listener)
            ledger.async_hold(entry, listener.__name__, unsubscribe)

    @property
    def connected(self) -> bool:
        """Return whether the Gateway can be used."""
        return self.data is ConnectionState.CONNECTED

    async def async_connect(self) -> None:
        """Start the client and wait for its first attempt.

        Raises:
            ConfigEntryNotReady: it failed, and a later one may not.
            ConfigEntryAuthFailed: the Gateway wants another token.
            ConfigEntryError: it cannot work.

        """
        self.config_entry.async_create_background_task(
            self.hass, self.client.run(), "clawd run"
        )
        try:
            await self.client.wait_connected(patient=False)
            await self.async_refresh_agents()
        except GatewayError as err:
            if pause_of(err) in REAUTHENTICATE:
                self.config_entry.async_start_reauth(self.hass)
            raise setup_error(err) from err
        self._was_connected = True
        self._async_end_reauth()

    async def async_refresh_agents(self) -> AgentCatalogue:
        """Ask which agents there are, and show those that are missed.

        Raises:
            GatewayError: the Gateway did not say.

        """
        self.agents = await self.client.list_agents()
        self.agents_current = True
        async_update_agent_issue(self.hass, self.config_entry, self.agents)
        return self.agents

    async def _async_follow_agents(self, transition: Transition) -> None:
        """Refresh them at each new connection.

        The frames of an error would keep a connection that is lost.
        """
        if transition.state is not ConnectionState.CONNECTED or not self._was_connected:
            return
        try:
            await self.async_refresh_agents()
        except GatewayError as err:
            LOGGER.debug("The Gateway does not list its agents (%s)", err.code)
            err.with_traceback(None)

    @callback
    def _async_follow(self, transition: Transition) -> None:
        if self._was_connected:
            self._async_report(transition)
        self.agents_current = False
        if transition.state in SETTLED:
            self._async_update_issues()
        self.async_set_updated_data(transition.state)

    @callback
    def _async_report(self, transition: Transition) -> None:
        code = transition.error.code if transition.error else ""
        if transition.state is ConnectionState.CLOSED:
            return
        if transition.previous is ConnectionState.CONNECTED:
            self.last_disconnect = transition
            LOGGER.log(
                logging.INFO if _announced(transition.error) else logging.WARNING,
                "Connection to the Gateway lost (%s)",
                code,
            )
        elif transition.state is ConnectionState.CONNECTED:
            LOGGER.info("Connection to the Gateway restored")
            self._refusal = ""
            self._async_update_device()
            self._async_end_reauth()
        elif transition.state is ConnectionState.PAUSED and code != self._refusal:
            self._refusal = code
            LOGGER.warning("The Gateway refuses the connection (%s)", code)
            if transition.pause in REAUTHENTICATE:
                self.config_entry.async_start_reauth(self.hass)

    @callback
    def _async_update_issues(self) -> None:
        entry = self.config_entry
        secrets = known_secrets(entry.data, self._credentials)
        async_update_connection_issues(self.hass, entry, self.client, secrets)

    @callback
    def _async_end_reauth(self) -> None:
        """Ask no more for what has come back by itself."""
        flows = self.hass.config_entries.flow
        ours = {"entry_id": self.config_entry.entry_id, "source": SOURCE_REAUTH}
        for flow in flows.async_progress_by_handler(DOMAIN, match_context=ours):
            flows.async_abort(flow["flow_id"])

    @callback
    def _async_update_device(self) -> None:
        registry = dr.async_get(self.hass)
        entry_id = self.config_entry.entry_id
        hello = self.client.hello
        for device in dr.async_entries_for_config_entry(registry, entry_id):
            if hello and (DOMAIN, entry_id) in device.identifiers:
                registry.async_update_device(
                    device.id,
                    model=MODELS[hello.protocol],
                    sw_version=hello.server_version,
                )


def _announced(error: GatewayError | None) -> bool:
    """Return whether the Gateway said that it restarts, which is no fault."""
    return isinstance(error, ConnectionLostError) and error.announced
