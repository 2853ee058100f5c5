"""Request of additional scopes."""

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

    from .credentials import Credentials
    from .history import ClientHistory
    from .models import DeviceToken, Hello
    from .protocol.connection import Connection, ConnectionTask
    from .protocol.handshake import ConnectProfile

# Seconds until a request that expired is replaced by another one.
RETRY_DELAY: Final = 30.0

_LOGGER = logging.getLogger(__name__)


class ScopeStatus(StrEnum):
    """Status of the optional scopes.

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
    """Pending request of optional scopes."""

    status: ScopeStatus
    request_id: str = ""


class ScopeUpgrade:
    """Scopes that a client lacks, required or optional, and their requests.

    Attributes:
        optional: status of the optional scopes.

    """

    def __init__(
        self,
        profile: ConnectProfile,
        credentials: Credentials,
        history: ClientHistory,
        *,
        on_lacking: Callable[[PairingRequiredError], None],
        on_change: Callable[[ScopeRequest], None],
    ) -> None:
        """Initialize without a connection.

        `on_lacking` gets each request for required scopes, and `on_change` the
        optional ones.
        """
        self._profile = profile
        self._credentials = credentials
        self._history = history
        self._on_lacking = on_lacking
        self._on_change = on_change
        wanted = bool(profile.optional_scopes)
        self.optional = ScopeRequest(ScopeStatus.UNKNOWN if wanted else ScopeStatus.OFF)

    def tasks(self, connection: Connection) -> list[ConnectionTask]:
        """Return the tasks of a new connection: it requests missing scopes."""
        if self._lacks_required(connection.hello):
            return [("approval", self._await_required(connection))]
        if self._update_optional(connection.hello) is ScopeStatus.UNKNOWN:
            return [("approval", self._await_optional(connection))]
        return []

    def _lacks_required(self, hello: Hello) -> bool:
        """Return whether requestable scopes are missing."""
        asked = self._credentials.scopes(self._profile.scopes)
        return asked != self._profile.scopes and _can_ask(hello)

    def _update_optional(self, hello: Hello) -> ScopeStatus:
        """Update the scope status after a hello."""
        wanted = set(self._profile.optional_scopes)
        if wanted <= set(hello.scopes):
            status = ScopeStatus.GRANTED if wanted else ScopeStatus.OFF
        elif not _can_ask(hello):
            status = ScopeStatus.UNSUPPORTED
        elif self._history.scopes_denied:
            status = ScopeStatus.DENIED
        else:
            return ScopeStatus.UNKNOWN
        self._change(ScopeRequest(status))
        return status

    async def _await_required(self, connection: Connection) -> None:
        def show(error: PairingRequiredError) -> None:
            _LOGGER.debug("Connected with fewer scopes until somebody approves more")
            self._on_lacking(error)

        if token := await await_scopes(connection, self._profile.scopes, show):
            await self._accept(connection, token)

    async def _await_optional(self, connection: Connection) -> None:
        def show(error: PairingRequiredError) -> None:
            request_id = error.request_id or ""
            self._change(ScopeRequest(ScopeStatus.PENDING, request_id))

        profile = self._profile
        scopes = (*profile.scopes, *profile.optional_scopes)
        if token := await await_scopes(connection, scopes, show):
            await self._accept(connection, token)
        else:
            # Asking at each connection would pester the owner.
            self._history.scopes_denied = True
            self._change(ScopeRequest(ScopeStatus.DENIED))

    async def _accept(self, connection: Connection, token: DeviceToken) -> None:
        await self._credentials.accept(token)
        await connection.reopen("scopes were approved")

    def _change(self, scopes: ScopeRequest) -> None:
        if scopes != self.optional:
            _LOGGER.debug("Optional scopes: %s", scopes.status)
            self.optional = scopes
            self._on_change(scopes)


async def await_scopes(
    connection: Connection,
    scopes: Iterable[str],
    on_pending: Callable[[PairingRequiredError], object],
) -> DeviceToken | None:
    """Request scopes; return the new device token.

    `on_pending` gets each request awaiting approval. None if it is refused, by a
    user or by the Gateway itself.
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
                _LOGGER.debug("Scopes requested: %s", request_id)
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


def _can_ask(hello: Hello) -> bool:
    """Return whether more scopes can be requested."""
    return DeviceCommands.REQUEST_UPGRADE.name in hello.methods
