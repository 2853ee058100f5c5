"""Asking an agent."""
