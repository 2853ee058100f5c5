"""Paired devices and pending pairing requests."""

from dataclasses import dataclass, field
import secrets
from typing import Any
import uuid

from .recordings import V3
from .refusals import pairing_required


@dataclass
class Devices:
    """Approved devices, their tokens, and pending pairing requests.

    ``bootstrap_tokens``: valid tokens of setup codes (protocol 4).
    """

    protocol: int
    approved: dict[str, set[str]] = field(default_factory=dict)
    pending: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    bootstrap_tokens: set[str] = field(default_factory=set)
    roles: dict[str, str] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)
    _requests: dict[str, dict[str, Any]] = field(default_factory=dict)

    def pair(self, params: dict[str, Any], *, silent: bool) -> str:
        """Pair the device of a connect request; return its token.

        Raises:
            ConnectError: the device is not approved yet.
        """
        request = self._pairing_request(params)
        device_id = request["deviceId"]
        scopes = set(request["scopes"])
        if request["reason"] == "role-upgrade":
            raise pairing_required(self.protocol, self._add_pending(request))
        if silent:
            self.approved.setdefault(device_id, set()).update(scopes)
        if not scopes <= self.approved.get(device_id, set()) or (
            device_id not in self.approved
        ):
            raise pairing_required(self.protocol, self._add_pending(request))
        self._requests[device_id] = request
        self.roles[device_id] = request["role"]
        return self.tokens.setdefault(device_id, secrets.token_urlsafe(24))

    def approve(self, request_id: str) -> dict[str, Any]:
        """Approve a pending request and return the device.

        Raises:
            KeyError: no such request is pending.
        """
        request = self.pending.pop(request_id)
        self.decided.add(request_id)
        device_id = request["deviceId"]
        self.approved.setdefault(device_id, set()).update(request["scopes"])
        self.roles[device_id] = request["role"]
        self._requests[device_id] = request
        return self._describe(device_id)

    def reject(self, request_id: str) -> str:
        """Reject a pending request; return the id of its device."""
        self.decided.add(request_id)
        return str(self.pending.pop(request_id)["deviceId"])

    def forget(self, device_id: str) -> None:
        """Remove a device and its token."""
        for known in (self.approved, self.tokens, self.roles, self._requests):
            known.pop(device_id, None)

    def request(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the pending request for the scopes of a connect request."""
        return self._add_pending(self._pairing_request(params))

    def list_payload(self) -> dict[str, Any]:
        """Return the payload of ``device.pair.list``."""
        return {
            "pending": list(self.pending.values()),
            "paired": [self._describe(device_id) for device_id in self._requests],
        }

    def _describe(self, device_id: str) -> dict[str, Any]:
        """Return a paired device's entry, without its token."""
        request = self._requests[device_id]
        scopes = sorted(self.approved[device_id])
        return {
            "deviceId": device_id,
            "publicKey": request["publicKey"],
            "displayName": request["displayName"],
            "role": request["role"],
            "roles": [request["role"]],
            "scopes": scopes,
            "tokens": [{"role": request["role"], "scopes": scopes}],
        }

    def _pairing_request(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the pairing request of a connect request."""
        device_id = params["device"]["id"]
        known, role = device_id in self.approved, params.get("role", "operator")
        reason = "scope-upgrade" if known else "not-paired"
        if known and self.roles.get(device_id, role) != role:
            reason = "role-upgrade"
        return {
            "deviceId": device_id,
            "publicKey": params["device"]["publicKey"],
            "displayName": params["client"].get("displayName"),
            "role": role,
            "scopes": params.get("scopes", []),
            "reason": reason,
            **(self._approved(device_id) if reason == "role-upgrade" else {}),
        }

    def _approved(self, device_id: str) -> dict[str, Any]:
        """Return role and scopes of a paired device."""
        scopes = sorted(self.approved[device_id])
        return {"approvedRole": self.roles[device_id], "approvedScopes": scopes}

    def _add_pending(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the device's pending request, added if there is none.

        Protocol 4 replaces it if the device requests more scopes.
        """
        for request_id, pending in self.pending.items():
            if pending["deviceId"] == request["deviceId"]:
                more = set(request["scopes"]) - set(pending["scopes"])
                if self.protocol == V3 or not more:
                    return pending
                del self.pending[request_id]
                break
        pending = {"requestId": str(uuid.uuid4()), **request}
        self.pending[pending["requestId"]] = pending
        return pending
