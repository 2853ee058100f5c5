"""Devices that are paired, or ask to be."""

from dataclasses import dataclass, field
import secrets
from typing import Any
import uuid

from .recordings import V3
from .refusals import pairing_required


@dataclass
class Devices:
    """The approved scopes and tokens of devices, and their pending requests.

    ``bootstraps``: the tokens of setup codes that are valid (protocol 4).
    """

    protocol: int
    approved: dict[str, set[str]] = field(default_factory=dict)
    pending: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    bootstraps: set[str] = field(default_factory=set)
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def admit(self, params: dict[str, Any], *, silent: bool) -> str:
        """Pair the device of a connect request and return its token.

        Raises:
            ConnectError: the device waits for approval.

        """
        request = self._request(params)
        device_id = request["deviceId"]
        scopes = set(request["scopes"])
        if silent:
            self.approved.setdefault(device_id, set()).update(scopes)
        if not scopes <= self.approved.get(device_id, set()) or (
            device_id not in self.approved
        ):
            raise pairing_required(self.protocol, self._pend(request))
        self._known[device_id] = request
        return self.tokens.setdefault(device_id, secrets.token_urlsafe(24))

    def approve(self, request_id: str) -> dict[str, Any]:
        """Approve a pending request and return the device.

        Raises:
            KeyError: no such request is pending.

        """
        request = self.pending.pop(request_id)
        device_id = request["deviceId"]
        self.approved.setdefault(device_id, set()).update(request["scopes"])
        self._known[device_id] = request
        return self._describe(device_id)

    def listing(self) -> dict[str, Any]:
        """Return what ``device.pair.list`` answers."""
        return {
            "pending": list(self.pending.values()),
            "paired": [self._describe(device_id) for device_id in self._known],
        }

    def _describe(self, device_id: str) -> dict[str, Any]:
        """Return a paired device as the Gateway shows it, without its token."""
        request = self._known[device_id]
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

    def _request(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the pairing request that a connect request amounts to."""
        device_id = params["device"]["id"]
        known = device_id in self.approved
        return {
            "deviceId": device_id,
            "publicKey": params["device"]["publicKey"],
            "displayName": params["client"].get("displayName"),
            "role": params.get("role", "operator"),
            "scopes": params.get("scopes", []),
            "reason": "scope-upgrade" if known else "not-paired",
        }

    def _pend(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the pending request of the device, the same one each time.

        Protocol 4 has a new one in its place when it asks for more scopes.
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
