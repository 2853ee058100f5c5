"""Actions of the integration, one module an action."""
