"""Tests against the real Gateways."""
