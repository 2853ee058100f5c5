"""Media over HTTP (OpenClaw 2026.9.6)."""

from dataclasses import dataclass, field
from http import HTTPStatus
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Request as HttpRequest, Response

from .images import PATH
from .recordings import V3

if TYPE_CHECKING:
    from .server import GatewaySimulator

MEDIA_PATH = "/__openclaw__/assistant-media"
UNAUTHORIZED = {"error": {"message": "Unauthorized", "type": "unauthorized"}}


@dataclass
class HttpFiles:
    """Files of the workspace by source, each with its type.

    ``requests``: headers and paths of the downloads; ``status``: of each answer,
    where it is another one; ``truncated``: a download ends too early; ``length``: of
    the content, where it is not told.
    """

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    status: int | None = None
    truncated: bool = False
    length: bool = True


def serve_http(gateway: GatewaySimulator, request: HttpRequest) -> Response | None:
    """Return the answer to a download; None to other requests."""
    # Behind the path of a proxy in front.
    if PATH not in request.path and MEDIA_PATH not in request.path:
        return None
    gateway.http.requests.append((request.path, dict(request.headers.raw_items())))
    if (status := gateway.http.status) is not None:
        return _answer(gateway, status, "text/html", b"<script>alert(1)</script>")
    if PATH in request.path:
        return _serve_image(gateway, request.path)
    return _serve_file(gateway, request)


def _serve_image(gateway: GatewaySimulator, path: str) -> Response:
    """Serve a picture with a ticket."""
    tool = gateway.images
    if not path.endswith(f"mediaTicket={tool.ticket}"):
        return _answer(gateway, 401, "text/plain", b"Unauthorized")
    return _answer(gateway, 200, tool.mime_type, tool.image or b"")


def _serve_file(gateway: GatewaySimulator, request: HttpRequest) -> Response:
    """Return a file of the workspace to a known device."""
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if bearer not in {gateway.token, *gateway.devices.tokens.values()}:
        error = json.dumps(UNAUTHORIZED).encode()
        return _answer(gateway, 401, "application/json", error)
    query = parse_qs(urlsplit(request.path).query)
    found = gateway.http.files.get(query["source"][0])
    if found is None or gateway.protocol == V3:
        return _answer(gateway, 404, "text/plain; charset=utf-8", b"Not Found")
    return _answer(gateway, 200, *found)


def _answer(
    gateway: GatewaySimulator, status: int, content_type: str, body: bytes
) -> Response:
    http, tool = gateway.http, gateway.images
    headers = Headers({"Content-Type": content_type, "Connection": "close"})
    if http.length:
        size = len(body) + (http.truncated or tool.truncated)
        headers["Content-Length"] = str(size)
    if status == HTTPStatus.FOUND:
        headers["Location"] = gateway.sign_in_page
    return Response(status, HTTPStatus(status).phrase, headers, body)
