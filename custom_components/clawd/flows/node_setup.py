"""Node approval during setup."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from homeassistant.core import callback
from homeassistant.helpers.selector import TextSelector
import voluptuous as vol

from ..client_factory import SETUP_CLIENTS, async_get_endpoint, node_credentials
from ..const import CONF_HOME_ACCESS, DOMAIN
from ..gateway import (
    NODE_PROFILE,
    Cause,
    ConnectionState,
    DeviceIdentity,
    GatewayClient,
    GatewayError,
    LinkProblem,
    NodeCall,
    NodeCallError,
    NodeHost,
    NodeLinkError,
    NodeTool,
    PairingRequiredError,
    read_node_link,
)
from ..home.settings import HomeAccess
from ..home.tools import HOME_STATE
from ..storage import NEW_ENTRY, DeviceTokenStore, async_save_node_identity
from .agent_schema import choice_selector

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from typing import Any

    from homeassistant.core import HomeAssistant

    from ..gateway import Endpoint, Transition
    from .setup import GatewaySetup

CONF_NODE_LINK: Final = "node_link"
NODE_LINK_SCHEMA: Final = vol.Schema({vol.Optional(CONF_NODE_LINK): TextSelector()})
LINK_ERRORS: Final = {
    LinkProblem.INVALID: "node_link_invalid",
    LinkProblem.EXPIRED: "node_link_expired",
    LinkProblem.OTHER_GATEWAY: "node_link_other_gateway",
}
SETUP_TASK: Final = f"{DOMAIN} node setup"
APPROVAL_POLL_INTERVAL: Final = 3.0
# Seconds until the flow goes on without an approval: two lives of a request.
APPROVAL_TIMEOUT: Final = 600.0
# Published to see whether the Gateway takes it.
PLACEHOLDER: Final = NodeTool(
    HOME_STATE, "Home Assistant is being set up.", {"type": "object"}
)


def home_access_schema(default: HomeAccess) -> vol.Schema:
    """Return the form for home access."""
    selector = choice_selector(CONF_HOME_ACCESS, reversed(HomeAccess))
    return vol.Schema({vol.Required(CONF_HOME_ACCESS, default=default.value): selector})


async def async_node_link_error(use: Coroutine[Any, Any, None]) -> str | None:
    """Return the error of using a node link.

    None if it was accepted.
    """
    try:
        await use
    except NodeLinkError as err:
        return LINK_ERRORS[err.problem]
    except GatewayError:
        return "node_link_refused"
    return None


class NodeSetup:
    """Node connection before the entry exists.

    Attributes:
        request: id of the pairing request; None once the node is let in.
        connected: the Gateway let the node in.
        failed: nothing will be approved.

    """

    def __init__(
        self, hass: HomeAssistant, endpoint: Endpoint, data: Mapping[str, Any]
    ) -> None:
        """Initialize with a new key."""
        self._hass = hass
        self._data = data
        self._endpoint = endpoint
        self._client = self._new_client()
        self._host = NodeHost(self._client, _refuse)
        self._run: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._deadline = 0.0
        self.request: PairingRequiredError | None = None
        self.connected = False
        self.failed = False

    @classmethod
    async def async_create(cls, hass: HomeAssistant, setup: GatewaySetup) -> NodeSetup:
        """Create a connection for a flow."""
        endpoint = await async_get_endpoint(hass, setup.data, setup.options)
        return cls(hass, endpoint, setup.data)

    @property
    def has_gateway_secret(self) -> bool:
        """Return whether the Gateway requires an approval."""
        return self._credentials.has_gateway_secret

    @property
    def ended(self) -> bool:
        """Return whether waiting is over."""
        expired = self._hass.loop.time() >= self._deadline
        return bool(self._host.published) or self.failed or expired

    async def async_use_link(self, text: str) -> None:
        """Connect once with a node link.

        The link approves the node.

        Raises:
            NodeLinkError: it is not used, and nothing is sent.
            GatewayError: the Gateway did not take it.

        """
        link = await read_node_link(text, self._endpoint)
        # OpenClaw lets in no key by a link that has asked for approval before.
        client = self._new_client()
        self._credentials.bootstrap_token = link.bootstrap_token
        try:
            async with client.connected_once():
                pass
        finally:
            self._credentials.bootstrap_token = None

    async def async_connect(self) -> None:
        """Connect and wait for the first answer.

        The connection lasts until `async_stop()`.
        """
        self._deadline = self._hass.loop.time() + APPROVAL_TIMEOUT
        self._client.subscribe_state(self._state_changed)
        self._host.subscribe(self._changed.set)
        self._host.start()
        self._host.set_tools([PLACEHOLDER])
        self._run = self._hass.async_create_background_task(
            self._client.run(), SETUP_TASK
        )
        with suppress(GatewayError):
            await self._client.wait_connected(retry=False)

    async def async_wait(self) -> None:
        """Wait for the next change."""
        before = self._shown
        while self._shown == before and not self.ended:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(APPROVAL_POLL_INTERVAL):
                    await self._changed.wait()
            if self._client.state is ConnectionState.PAUSED:
                self._client.resume()

    async def async_store(self, entry_id: str = NEW_ENTRY) -> None:
        """Store key and token of the node.

        By default for the entry that is created next.
        """
        await async_save_node_identity(self._hass, entry_id, self._credentials.identity)
        store = DeviceTokenStore(self._hass, entry_id, self._endpoint.origin, node=True)
        await store.async_try_to_save(self._credentials.device_token)

    @callback
    def async_stop(self) -> None:
        """End the connection."""
        if self._run:
            self._run.cancel()

    @property
    def _shown(self) -> tuple[bool, str | None]:
        return self.connected, self.request.request_id if self.request else None

    def _new_client(self) -> GatewayClient:
        """Return a client with a new key."""
        identity = DeviceIdentity.generate()
        self._credentials = node_credentials(self._hass, self._data, identity)
        client = GatewayClient(self._endpoint, self._credentials, profile=NODE_PROFILE)
        SETUP_CLIENTS.add(client)
        return client

    @callback
    def _state_changed(self, transition: Transition) -> None:
        if transition.cause is Cause.HELLO:
            self.connected, self.request = True, None
        elif isinstance(transition.error, PairingRequiredError):
            self.request = transition.error
        elif transition.cause is Cause.REFUSED:
            self.failed = True
        self._changed.set()


async def _refuse(_: NodeCall) -> str:
    """Refuse a call during setup."""
    raise NodeCallError("NODE_NOT_READY", "Home Assistant is being set up.")
