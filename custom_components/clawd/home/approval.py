"""Approval of the node."""

from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback

from ..const import LOGGER
from ..error_mapping import node_approval_placeholders
from ..gateway import (
    AddressClass,
    Cause,
    GatewayError,
    InvalidTokenError,
    PairingRequiredError,
    address_class,
    approve_node,
)
from ..issues.registry import Issue, async_create_issue, async_delete_issue
from ..runtime.node import NodeApproval
from ..util.subscriptions import combine_unsubscribes
from .prefix import async_avoid_name_conflicts

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..coordinator import ClawdConfigEntry
    from ..gateway import Node, Transition
    from ..runtime.node import NodeRuntime

PENDING_AGAIN: Final = "pending-reapproval"
_ISSUES: Final = {
    NodeApproval.DEVICE: Issue.NODE_NOT_APPROVED,
    NodeApproval.COMMANDS: Issue.NODE_NOT_APPROVED,
    NodeApproval.LINK: Issue.NODE_LINK_REQUIRED,
}


class ApprovalTracker:
    """Tracker of the node's approval."""

    def __init__(
        self, hass: HomeAssistant, entry: ClawdConfigEntry, node: NodeRuntime
    ) -> None:
        """Initialize for the node of an entry."""
        self._hass = hass
        self._entry = entry
        self._node = node

    @callback
    def async_start(self) -> Callable[[], None]:
        """Follow until the returned function is called."""
        client = self._node.client
        return combine_unsubscribes(
            client.subscribe_state(self._node_changed),
            client.subscribe("node.pair.resolved", self._check),
            self._entry.runtime_data.client.subscribe_state(self._operator_changed),
            self._node.host.subscribe(self._published),
        )

    @callback
    def _check(self, *_: object) -> None:
        check = async_check_approval(self._hass, self._entry)
        self._node.client.spawn(check, "approval")

    @callback
    def _node_changed(self, transition: Transition) -> None:
        match transition.error:
            case PairingRequiredError() as error:
                self._set(NodeApproval.DEVICE, error)
            case InvalidTokenError() if not self._node.credentials.has_gateway_secret:
                self._set(NodeApproval.LINK)
        if transition.cause is Cause.HELLO:
            self._check()

    @callback
    def _operator_changed(self, transition: Transition) -> None:
        # The approval is unknown until the operator connects.
        if transition.cause is Cause.HELLO and self._node.client.hello:
            self._check()

    @callback
    def _published(self) -> None:
        host = self._node.host
        if host.published:
            self._set(NodeApproval.APPROVED)
            async_delete_issue(self._hass, self._entry, Issue.NODE_TAKEN_OVER)
        elif host.displaced:
            async_create_issue(self._hass, self._entry, Issue.NODE_TAKEN_OVER, {})

    @callback
    def _set(
        self, approval: NodeApproval, error: PairingRequiredError | None = None
    ) -> None:
        _async_set(self._hass, self._entry, self._node, approval, error)


async def async_check_approval(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Check the approval, and approve if permitted."""
    runtime, node = entry.runtime_data, entry.runtime_data.node
    if node is None:
        return
    try:
        nodes = await runtime.client.nodes.list()
    except GatewayError as err:
        LOGGER.debug("Approval of the node not known: %s", err.code)
        return
    own = next((known for known in nodes if known.id == node.client.device_id), None)
    if own is None:
        return
    # Another approval is for changed commands; ours never change.
    approved = own.approved or own.approval == PENDING_AGAIN
    if approved or await _async_approve(entry, node, own):
        _async_set(hass, entry, node, NodeApproval.APPROVED)
    else:
        _async_set(hass, entry, node, NodeApproval.COMMANDS)
    async_avoid_name_conflicts(hass, entry, own.id, nodes)


async def _async_approve(entry: ClawdConfigEntry, node: NodeRuntime, own: Node) -> bool:
    """Approve the node with the Gateway's token.

    Return whether it was approved. Only on this machine: there, the Gateway trusts its
    token. Elsewhere, its owner has to approve, even for a key with that right.
    """
    peer, credentials = node.client.peer, node.credentials
    local = peer and address_class(peer.address) is AddressClass.LOOPBACK
    # A Gateway with device approval treats this client as remote.
    if not local or node.asked_owner or not credentials.has_gateway_secret:
        return False
    try:
        return await approve_node(
            node.client.endpoint, entry.runtime_data.credentials, own.id
        )
    except GatewayError as err:
        LOGGER.debug("Node not approved: %s", err.code)
        node.asked_owner = True
        return False


@callback
def _async_set(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    node: NodeRuntime,
    approval: NodeApproval,
    error: PairingRequiredError | None = None,
) -> None:
    """Store the approval and update its issue."""
    if node.approval is not approval:
        LOGGER.debug("Approval of the node: %s", approval)
    node.approval = approval
    node.asked_owner |= approval is NodeApproval.DEVICE
    shown = _ISSUES.get(approval)
    for issue in dict.fromkeys(_ISSUES.values()):
        if issue is shown:
            placeholders = node_approval_placeholders(error)
            async_create_issue(hass, entry, issue, placeholders)
        else:
            async_delete_issue(hass, entry, issue)
