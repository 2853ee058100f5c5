"""Runs of agents."""
