"""Scripted Ollama server."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from time import perf_counter
from typing import Any

from aiohttp import web

from scripts.home_assistant.api import HomeAssistantApi

MODEL = "scripted"
CREATED = "2026-01-01T00:00:00Z"


@dataclass
class OllamaServer:
    """Server that always replies with the same words.

    Attributes:
        spacing: seconds before each word.
        asked_at: time of the last question.
        first_text_at: time of the last reply's first word.
        answered_at: time of its end.

    """

    words: Sequence[str]
    spacing: float
    url: str = ""
    asked_at: float = 0.0
    first_text_at: float = 0.0
    answered_at: float = 0.0

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Serve on a free port."""
        application = web.Application()
        application.router.add_get("/api/tags", self._tags)
        application.router.add_post("/api/chat", self._chat)
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}"
            yield
        finally:
            await runner.cleanup()

    async def _tags(self, _: web.Request) -> web.Response:
        return web.json_response({"models": [{"name": MODEL, "model": MODEL}]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.asked_at = perf_counter()
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for index, word in enumerate(self.words):
            await asyncio.sleep(self.spacing)
            if index == 0:
                self.first_text_at = perf_counter()
            await response.write(_line(word, done=False))
        self.answered_at = perf_counter()
        await response.write(_line("", done=True))
        return response


def _line(content: str, *, done: bool) -> bytes:
    line: dict[str, Any] = {
        "model": MODEL,
        "created_at": CREATED,
        "message": {"role": "assistant", "content": content},
        "done": done,
    }
    return f"{json.dumps(line)}\n".encode()


async def add_ollama(
    api: HomeAssistantApi, url: str, kind: str = "conversation", **settings: object
) -> str:
    """Add server and agent, or another kind of subentry; return the entry's id."""
    flows = "config/config_entries/flow"
    flow = await api.post(flows, {"handler": "ollama"})
    added = await api.post(f"{flows}/{flow['flow_id']}", {"url": url})
    entry_id: str = added["result"]["entry_id"]
    flows = "config/config_entries/subentries/flow"
    flow = await api.post(flows, {"handler": [entry_id, kind]})
    options = {"name": "Ollama", "model": MODEL, **settings}
    await api.post(f"{flows}/{flow['flow_id']}", options)
    return entry_id
