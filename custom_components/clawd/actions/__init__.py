"""Actions of the integration."""
