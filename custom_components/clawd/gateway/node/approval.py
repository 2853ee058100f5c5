"""Approval of our node."""

import asyncio
from contextlib import suppress
from dataclasses import replace
import logging
from typing import TYPE_CHECKING, Final

from ..client import GatewayClient
from ..commands import DeviceCommands, NodeCommands
from ..connect_profile import NODE_PROFILE, PAIRING_PROFILE
from ..exceptions import CannotConnectError, GatewayError
from ..identity import DeviceIdentity

if TYPE_CHECKING:
    from ..credentials import Credentials
    from ..endpoint import Endpoint
    from ..models import Timing

# Seconds for approval and cleanup; a Gateway answers at once.
APPROVAL_TIMEOUT: Final = 15.0

_LOGGER = logging.getLogger(__name__)


async def approve_node(
    endpoint: Endpoint,
    credentials: Credentials,
    node_id: str,
    *,
    timing: Timing | None = None,
) -> bool:
    """Approve the pending request of our node.

    Return whether there was one. Of the operator's `credentials` only the token or
    password is used: a Gateway pairs a new key by itself on loopback, and that key is
    removed again. `node_id` is the device id of the node's key. A request for other
    commands is left alone.

    Raises:
        GatewayError: the Gateway did not answer, or refused.

    """
    temporary = replace(
        credentials, identity=DeviceIdentity.generate(), device_token=None, save=None
    )
    client = GatewayClient(endpoint, temporary, profile=PAIRING_PROFILE, timing=timing)
    async with client.connected_once() as connection:
        request = connection.request_before_serving
        try:
            async with asyncio.timeout(APPROVAL_TIMEOUT):
                return await _approve(NodeCommands(request), node_id)
        except TimeoutError:
            raise CannotConnectError("no answer in time", code="TIMEOUT") from None
        finally:
            # Least privilege: leave no paired device with these rights.
            with suppress(GatewayError, TimeoutError):
                async with asyncio.timeout(APPROVAL_TIMEOUT):
                    await DeviceCommands(request).remove(client.device_id)


async def _approve(nodes: NodeCommands, node_id: str) -> bool:
    for request in await nodes.pairing_requests():
        ours = set(request.commands) == set(NODE_PROFILE.commands)
        if request.node_id == node_id and ours:
            await nodes.approve(request.id)
            _LOGGER.debug("Node approved")
            return True
    return False
