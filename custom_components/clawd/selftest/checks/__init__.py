"""Checks of the self-test, grouped by subject."""
