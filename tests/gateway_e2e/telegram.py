"""Fake Bot API of Telegram."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
import json
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import parse_qsl

TOKEN: Final = "100:stand-in"
# Seconds; the Gateway asks for new messages all the time.
POLL_TIME: Final = 1.0
BOT: Final = {"id": 100, "is_bot": True, "first_name": "Bot", "username": "a_bot"}


class ChatNotFoundError(Exception):
    """A chat that the bot does not know."""


class TelegramServer(ThreadingHTTPServer):
    """Server that records messages.

    Attributes:
        sent: chat and text of each message, in order.

    """

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sent: list[tuple[str, str]] = []
        self.ids = count(101)
        self.closing = Event()

    @property
    def settings(self) -> dict[str, Any]:
        """Return the Gateway's configuration of this channel."""
        telegram = {
            "enabled": True,
            "botToken": TOKEN,
            "apiRoot": f"http://127.0.0.1:{self.server_port}",
            "dmPolicy": "allowlist",
            "allowFrom": ["42"],
        }
        return {"channels": {"telegram": telegram}}

    def answer(self, method: str, params: dict[str, Any]) -> object:
        """Return the result of a method.

        Raises:
            ChatNotFoundError: the chat is none.

        """
        match method:
            case "getMe":
                return BOT
            case "getUpdates":
                self.closing.wait(POLL_TIME)
                return []
            case "getWebhookInfo":
                return {"url": ""}
            case "getChat":
                return _chat(params)
            case "sendMessage":
                chat = _chat(params)
                self.sent.append((str(chat["id"]), str(params["text"])))
                return {"message_id": next(self.ids), "date": 1, "chat": chat}
        return True


def _chat(params: dict[str, Any]) -> dict[str, Any]:
    chat_id = str(params["chat_id"])
    if not chat_id.isdecimal():
        raise ChatNotFoundError
    return {"id": int(chat_id), "type": "private", "first_name": "Ann"}


class _Handler(BaseHTTPRequestHandler):
    server: TelegramServer

    def do_POST(self) -> None:
        """Handle a method."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "json" in self.headers.get("Content-Type", ""):
            params = json.loads(body or b"{}")
        else:
            params = dict(parse_qsl(body.decode("utf-8", "replace")))
        answer: dict[str, Any]
        try:
            result = self.server.answer(self.path.rpartition("/")[2], params)
        except ChatNotFoundError:
            status = HTTPStatus.BAD_REQUEST
            problem = "Bad Request: chat not found"
            answer = {"ok": False, "error_code": status, "description": problem}
        else:
            status, answer = HTTPStatus.OK, {"ok": True, "result": result}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815 - the base class's name

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serve_telegram() -> Iterator[TelegramServer]:
    """Run the server in a thread."""
    with TelegramServer() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
