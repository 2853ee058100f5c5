"""Approval of missing scopes, on a connection with fewer."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
import logging
from typing import TYPE_CHECKING, Final

from .commands import DeviceCommands
from .exceptions import (
    SCOPE_MISMATCH,
    GatewayError,
    PairingRequiredError,
    RequestFailedError,
    RequestTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .models import DeviceToken
    from .protocol.connection import Connection

# Seconds until a request that expired is replaced by another one.
RETRY_DELAY: Final = 30.0

_LOGGER = logging.getLogger(__name__)


class ScopeStatus(StrEnum):
    """Status of the optional scopes of a client.

    Attributes:
        OFF: none are wanted.
        UNKNOWN: they are wanted, and there has been no connection.
        PENDING: the Gateway's owner has to approve them.
        UNSUPPORTED: the Gateway cannot be asked for more scopes.

    """

    OFF = "off"
    UNKNOWN = "unknown"
    GRANTED = "granted"
    PENDING = "pending"
    DENIED = "denied"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class ScopeRequest:
    """Optional scopes of a client, and the request that is to be approved."""

    status: ScopeStatus
    request_id: str = ""


async def await_scopes(
    connection: Connection,
    scopes: Iterable[str],
    on_pending: Callable[[PairingRequiredError], object],
) -> DeviceToken | None:
    """Request scopes and wait for their approval; return the new device token.

    `on_pending` gets each request that somebody has to approve. None if it is
    refused, by somebody or by the Gateway itself.
    """
    devices, shown = DeviceCommands(connection.request), ""
    while True:
        try:
            try:
                request_id = await devices.request_upgrade(scopes)
            except RequestFailedError as err:
                if err.retryable:
                    raise
                _LOGGER.debug("Scopes refused: %s", err.code)
                return None
            if request_id != shown:
                shown = request_id
                on_pending(_pending(request_id))
            return await devices.wait_upgrade(request_id)
        except RequestTimeoutError:
            continue
        except GatewayError as err:
            _LOGGER.debug("Scopes not requested: %s", err.code)
        await asyncio.sleep(RETRY_DELAY)


def _pending(request_id: str) -> PairingRequiredError:
    return PairingRequiredError(
        "the device has fewer scopes than needed",
        code=SCOPE_MISMATCH,
        request_id=request_id,
    )
