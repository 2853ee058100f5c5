"""Parts of the config flows."""
