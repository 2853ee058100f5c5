"""Tests of the node connection."""
