"""Repair issues of an entry."""
