"""The OpenClaw Gateway integration."""
