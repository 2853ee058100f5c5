"""Benchmarks: what the client costs, as ratios to a floor of the same run."""
