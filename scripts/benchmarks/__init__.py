"""Benchmarks of the client against a baseline."""
