"""TLS certificates of a Gateway."""

from datetime import UTC, datetime, timedelta
import ipaddress
from pathlib import Path
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(
    folder: Path, *, address: str = "127.0.0.1", age: timedelta = timedelta(days=1)
) -> Path:
    """Write a self-signed certificate of an address, with its key.

    It is valid for two days from ``age`` ago.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Gateway")])
    subject = x509.IPAddress(ipaddress.ip_address(address))
    start = datetime.now(UTC) - age
    signed = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "gateway.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def server_context(path: Path) -> ssl.SSLContext:
    """Return a server's TLS context with the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def certificate_pem(path: Path) -> str:
    """Return the certificate without its key, as PEM."""
    return _load(path).public_bytes(serialization.Encoding.PEM).decode()


def fingerprint(path: Path) -> str:
    """Return the certificate's SHA-256 fingerprint, 64 hex digits."""
    return _load(path).fingerprint(hashes.SHA256()).hex()


def _load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificates(path.read_bytes())[0]


def authority(  # noqa: PLR0913 - each is a flaw
    folder: Path,
    *,
    key_usage: bool = True,
    key_cert_sign: bool = True,
    critical: bool = True,
    subject_key: bool = True,
    authority_key: bool = True,
) -> tuple[str, Path]:
    """Return a private authority as PEM, and a certificate that it signed.

    Each flag takes away what strict verification (RFC 5280) asks for.
    """
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Home CA")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Gateway")])
    start = datetime.now(UTC) - timedelta(days=1)
    end = start + timedelta(days=2)

    def builder(
        subject: x509.Name, public_key: ec.EllipticCurvePublicKey, number: int
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder(ca_name, subject, public_key)
            .serial_number(number)
            .not_valid_before(start)
            .not_valid_after(end)
        )

    ca = builder(ca_name, ca_key.public_key(), 1).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=critical
    )
    if key_usage:
        flags = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        usage = x509.KeyUsage(key_cert_sign=key_cert_sign, crl_sign=True, **flags)
        ca = ca.add_extension(usage, critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    if subject_key:
        ca = ca.add_extension(identifier, critical=False)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    leaf = builder(name, key.public_key(), 2).add_extension(
        x509.SubjectAlternativeName([address]), critical=False
    )
    if authority_key:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
            identifier
        )
        leaf = leaf.add_extension(issuer, critical=False)
    path = folder / "signed.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + leaf.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    signed = ca.sign(ca_key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode(), path
