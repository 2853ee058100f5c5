"""Tools that run a real Home Assistant."""
