"""Base of the command classes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, override

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ..models import Json, Payload


@dataclass(frozen=True, slots=True)
class Method:
    """Method of the Gateway's API.

    Attributes:
        scope: operator scope that a call needs, as the schema of protocol 4 says.
        optional: some supported Gateway lacks it, and the client copes.

    """

    name: str
    scope: str
    optional: bool = False

    @override
    def __str__(self) -> str:
        """Return the name on the wire."""
        return self.name


class Request(Protocol):
    """Function for sending a request."""

    def __call__(
        self, method: str, params: Payload | None = None, timeout: float | None = None
    ) -> Awaitable[Json]:
        """Send a request and return its payload.

        Raises a `GatewayError`, at the latest after `timeout` seconds.
        """


class Commands:
    """Commands of one API area."""

    def __init__(self, request: Request) -> None:
        """Send the commands with `request`."""
        self._request = request

    @classmethod
    def methods(cls) -> tuple[Method, ...]:
        """Return the methods of the area."""
        return tuple(value for value in vars(cls).values() if isinstance(value, Method))

    async def _call(
        self,
        method: Method,
        params: Payload | None = None,
        timeout: float | None = None,
    ) -> Json:
        return await self._request(method.name, params, timeout)
