"""Wire protocol of the Gateway."""
