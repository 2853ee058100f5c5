"""Access of agents to the home."""
