"""Devices and events for automations."""
