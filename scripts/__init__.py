"""Modules behind the project's commands."""
