"""Probes of a Gateway's addresses, without credentials."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from homeassistant.util.ssl import get_default_no_verify_context

from ..const import DEFAULT_PORT, LOGGER
from ..gateway import (
    CertificateError,
    Endpoint,
    GatewayError,
    InsecureTransportError,
    SignInRequiredError,
    Timing,
    probe_endpoint,
)
from .address import Candidate

# Shorter than the client's 15 s: there are up to four candidates, probed one after
# the other, while the user looks at the form.
PROBE_TIMING: Final = Timing(connect_timeout=8)

# Errors that say little about a candidate, most informative first.
_UNINFORMATIVE_CODES: Final = ("TLS", "REFUSED", "UNREACHABLE")


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Result of a probe without credentials.

    Attributes:
        error: None if a Gateway answered that may be sent credentials.
        fingerprint: of its certificate, if that is not trusted.

    """

    candidate: Candidate
    error: GatewayError | None = None
    fingerprint: str | None = None

    @property
    def conclusive(self) -> bool:
        """Return whether further probes are unnecessary."""
        # The user decides about a certificate or plain text at this candidate,
        # instead of the flow falling back to another one.
        return self.error is None or isinstance(
            self.error, CertificateError | InsecureTransportError
        )


async def async_probe_candidates(
    endpoints: Mapping[Candidate, Endpoint],
) -> ProbeResult:
    """Probe candidates; the result is the first conclusive one.

    No credentials of the Gateway are sent. If all fail, it is the most informative one.
    """
    results: list[ProbeResult] = []
    # Of several hosts, one may swallow what is sent to it: all at once, but never
    # without TLS before it is clear that there is none.
    for tls in sorted({candidate.ssl for candidate in endpoints})[::-1]:
        results += await asyncio.gather(
            *(_async_probe(*pair) for pair in endpoints.items() if pair[0].ssl is tls)
        )
        if any(result.conclusive for result in results):
            break
    conclusive = (result for result in results if result.conclusive)
    return next(conclusive, None) or max(results, key=_informativeness)


async def _async_probe(candidate: Candidate, endpoint: Endpoint) -> ProbeResult:
    result = await _probe(candidate, endpoint)
    if isinstance(result.error, CertificateError):
        result = await _read_fingerprint(result, endpoint)
    LOGGER.debug(
        "Probed a Gateway: %s on %s port, %s",
        "TLS" if candidate.ssl else "plain text",
        "the default" if candidate.port == DEFAULT_PORT else "another",
        result.error.code if result.error else "OK",
    )
    return result


async def _probe(candidate: Candidate, endpoint: Endpoint) -> ProbeResult:
    try:
        await probe_endpoint(endpoint, PROBE_TIMING)
    except GatewayError as err:
        return ProbeResult(candidate, err)
    return ProbeResult(candidate)


async def _read_fingerprint(result: ProbeResult, endpoint: Endpoint) -> ProbeResult:
    """Add the fingerprint of an untrusted certificate."""
    # A failed verification does not reveal the certificate, so connect without.
    unverified = get_default_no_verify_context()
    endpoint = replace(endpoint, ssl=unverified, fingerprint=None, headers={})
    try:
        peer = await probe_endpoint(endpoint, PROBE_TIMING)
    except SignInRequiredError as err:
        # First the certificate, then what is behind it.
        return replace(result, fingerprint=err.fingerprint)
    except GatewayError as err:
        return ProbeResult(result.candidate, err)
    return replace(result, fingerprint=peer.fingerprint)


def _informativeness(result: ProbeResult) -> int:
    """Return the rank of a failed probe."""
    code = result.error.code if result.error else ""
    if code in _UNINFORMATIVE_CODES:
        return -_UNINFORMATIVE_CODES.index(code)
    return 1
