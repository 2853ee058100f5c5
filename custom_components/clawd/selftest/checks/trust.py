"""Check of the trust in the connection."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ...gateway import (
    CertificateError,
    GatewayError,
    Timing,
    address_class,
    probe_endpoint,
)
from ...reports import Mode, Origin, Status
from ..model import CheckResult, Component, check

if TYPE_CHECKING:
    from ...gateway import Endpoint
    from ..model import CheckContext

FINGERPRINT_CHANGED: Final = "TLS_FINGERPRINT"
# Shorter than the check.
PROBE_TIMING: Final = Timing(connect_timeout=3)


@check(component=Component.SECURITY, origin=Origin.NETWORK)
async def check_transport_trust(context: CheckContext) -> CheckResult:
    """Encryption and current certificate of the connection.

    The token and every conversation travel over it.
    """
    client = context.runtime.client
    endpoint, peer = client.endpoint, client.peer
    host = peer.address if peer else endpoint.host
    result = CheckResult(
        status=Status.PASS,
        observed=f"{_transport(endpoint)}, {address_class(host)}",
        expected="wss, or not public",
        placeholders={
            "transport": _transport(endpoint),
            "address": address_class(host),
        },
    )
    pinned = endpoint.fingerprint
    exposed = endpoint.exposed_at(host) and not endpoint.allow_insecure
    if peer and (exposed or (pinned and peer.fingerprint != pinned)):
        # The client has to refuse such a peer.
        return replace(result, status=Status.FAIL, origin=Origin.INTEGRATION)
    if error := await _certificate_error(context):
        changed = error.code == FINGERPRINT_CHANGED
        return replace(
            result,
            status=Status.FAIL,
            reason="certificate_changed" if changed else "certificate_refused",
            observed=error.code,
            placeholders={"code": error.code},
        )
    if endpoint.exposed_at(host):
        status = Status.WARN if endpoint.allow_insecure else Status.FAIL
        return replace(result, status=status)
    return result


async def _certificate_error(context: CheckContext) -> CertificateError | None:
    """Return the error of the current certificate."""
    client = context.runtime.client
    error: GatewayError | None = client.last_error
    # The certificate of an open connection may have been renewed since.
    if client.peer and client.endpoint.ssl and context.mode.includes(Mode.ACTIVE):
        try:
            await probe_endpoint(client.endpoint, PROBE_TIMING)
        except GatewayError as err:
            error = err
    return error if isinstance(error, CertificateError) else None


def _transport(endpoint: Endpoint) -> str:
    return "wss" if endpoint.ssl else "ws"
