"""The home for agents: tools, permissions and confirmations."""
