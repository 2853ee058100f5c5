"""Tests against the real Gateways with a scripted model."""
