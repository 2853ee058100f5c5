"""Asking an agent: shared by conversation, AI tasks and actions."""
