"""Identity and signatures of the device."""

from base64 import urlsafe_b64decode
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
import pytest

from custom_components.clawd.gateway import DeviceIdentity


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_generated_identities_differ() -> None:
    assert DeviceIdentity.generate().device_id != DeviceIdentity.generate().device_id


def test_device_id_is_hash_of_public_key() -> None:
    identity = DeviceIdentity.generate()
    assert identity.device_id == sha256(decoded(identity.public_key)).hexdigest()


def test_identity_is_restored_from_secret() -> None:
    identity = DeviceIdentity.generate()
    restored = DeviceIdentity.from_secret(identity.secret)
    assert (restored.device_id, restored.public_key) == (
        identity.device_id,
        identity.public_key,
    )
    assert restored.sign("text") == identity.sign("text")


def test_keys_are_base64url_without_padding() -> None:
    identity = DeviceIdentity.generate()
    for text in (identity.secret, identity.public_key, identity.sign("x")):
        assert set(text).isdisjoint("+/=")
    assert len(identity.secret) == 43


def test_signature_verifies_only_its_text() -> None:
    identity = DeviceIdentity.generate()
    key = Ed25519PublicKey.from_public_bytes(decoded(identity.public_key))
    signature = decoded(identity.sign("grüße"))
    key.verify(signature, "grüße".encode())
    with pytest.raises(InvalidSignature):
        key.verify(signature, b"other")


@pytest.mark.parametrize("secret", ["", "short", "ü" * 43, "A" * 44])
def test_invalid_secret_is_rejected(secret: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is not ours
        DeviceIdentity.from_secret(secret)


def test_repr_hides_secret() -> None:
    identity = DeviceIdentity.generate()
    assert identity.secret not in f"{identity} {identity!r}"
