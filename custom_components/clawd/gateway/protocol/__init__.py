"""Wire protocol of the Gateway: frames, handshake, one connection."""
