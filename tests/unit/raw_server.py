"""Servers that are no Gateway."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import ipaddress
from pathlib import Path
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@asynccontextmanager
async def raw_server(answer: bytes) -> AsyncGenerator[int]:
    """Answer whatever a client sends first, and hang up; give the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        yield server.sockets[0].getsockname()[1]
        server.close_clients()


@dataclass
class SilentServer:
    """What says nothing to the client that comes."""

    port: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    leave: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def silent_server() -> AsyncGenerator[SilentServer]:
    """Take a client and say nothing until it is time to leave."""
    silent = SilentServer()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silent.arrived.set()
        await silent.leave.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        silent.port = server.sockets[0].getsockname()[1]
        yield silent
        silent.leave.set()


def http(status: str, *headers: str) -> bytes:
    """Return an HTTP response without a body."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def certificate(folder: Path) -> Path:
    """Write a certificate of 127.0.0.1 with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Gateway")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    start = datetime.now(UTC) - timedelta(days=1)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
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
    """Return what a server with the certificate needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
