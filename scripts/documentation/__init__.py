"""Generator of the documentation's tables."""
