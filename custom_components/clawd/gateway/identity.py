"""Ed25519 identity of a device."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class DeviceIdentity:
    """Key pair of this device."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        """Derive public key and device id."""
        self._private_key = private_key
        public_key = private_key.public_key().public_bytes_raw()
        self.public_key = _encode(public_key)
        self.device_id = sha256(public_key).hexdigest()

    @classmethod
    def generate(cls) -> Self:
        """Generate a new identity."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_secret(cls, secret: str) -> Self:
        """Restore an identity from `secret`.

        Raises:
            ValueError: the text is no private key.

        """
        raw = urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
        return cls(Ed25519PrivateKey.from_private_bytes(raw))

    @property
    def secret(self) -> str:
        """Return the private key.

        As base64url without padding, 43 characters.
        """
        return _encode(self._private_key.private_bytes_raw())

    def sign(self, text: str) -> str:
        """Sign a text.

        Return the signature as base64url without padding.
        """
        return _encode(self._private_key.sign(text.encode()))


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
