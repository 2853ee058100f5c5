"""Scopes of a narrowed device token."""

from custom_components.clawd.gateway import (
    ClientInfo,
    Credentials,
    DeviceIdentity,
    DeviceToken,
    InvalidTokenError,
    PairingRequiredError,
)
from custom_components.clawd.gateway.exceptions import SCOPE_MISMATCH

READ, WRITE = "operator.read", "operator.write"
WANTED = (READ, WRITE)


async def test_without_its_device_token_all_scopes_are_asked_for() -> None:
    own = DeviceToken("the-token-for-reading", (READ,))
    credentials = Credentials(
        DeviceIdentity.generate(), ClientInfo("0"), device_token=own
    )
    mismatch = PairingRequiredError("injected", code=SCOPE_MISMATCH, request_id=None)
    assert await credentials.fall_back(mismatch, trusted=True)
    assert credentials.scopes(WANTED) == (READ,)

    revoked = InvalidTokenError("injected", code="AUTH_DEVICE_TOKEN_MISMATCH")
    assert not await credentials.fall_back(revoked, trusted=True)

    assert credentials.device_token is None
    assert credentials.scopes(WANTED) == WANTED
