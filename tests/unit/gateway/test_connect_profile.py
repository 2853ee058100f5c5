"""Profiles of our connections."""

from custom_components.clawd.gateway import (
    NODE_PROFILE,
    OPERATOR_PROFILE,
    REQUIRED_SCOPES,
)
from custom_components.clawd.gateway.connect_profile import PAIRING_PROFILE


def test_main_connection_asks_for_no_more_rights() -> None:
    assert REQUIRED_SCOPES == ("operator.read", "operator.write")
    assert OPERATOR_PROFILE.scopes == REQUIRED_SCOPES


def test_only_the_short_connection_may_approve() -> None:
    assert PAIRING_PROFILE.scopes == ("operator.pairing", "operator.write")


def test_node_declares_the_same_commands_for_ever() -> None:
    # Another one would need another approval by the user.
    assert NODE_PROFILE.commands == ("mcp.tools.call.v1", "system.notify")
    assert NODE_PROFILE.scopes == ()
