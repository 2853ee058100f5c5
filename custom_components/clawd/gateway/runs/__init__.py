"""Runs of agents: events in, text and a result out."""
