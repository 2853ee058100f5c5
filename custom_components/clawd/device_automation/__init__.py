"""Devices of the integration, and the events that they tell automations."""
