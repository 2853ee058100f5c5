"""The self-test: checks of the running system, each with a fault that it catches."""
