"""Version, notes and package of a release."""
