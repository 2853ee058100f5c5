"""A release: its version, its notes and its package."""
