"""The home for agents: its tools, who may call them, and what needs a confirmation."""
