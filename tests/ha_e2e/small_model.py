"""Scripted Ollama server."""

from dataclasses import dataclass, field
import json
from typing import Any, override

from aiohttp import web

from scripts.benchmarks.ollama import CREATED, MODEL, OllamaServer

ASK = "clawd__ask"


@dataclass
class SmallModel(OllamaServer):
    """Model that calls the tool, and then tells its result.

    Attributes:
        offered: names of the tools in each request.

    """

    offered: list[list[str]] = field(default_factory=list)

    @override
    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        tools = [tool["function"]["name"] for tool in body.get("tools") or ()]
        self.offered.append(tools)
        last = body["messages"][-1]
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        if last["role"] == "tool":
            message["content"] = f"I was told: {last['content']}"
        else:
            arguments = {"question": last["content"]}
            message["tool_calls"] = [
                {"function": {"name": ASK, "arguments": arguments}}
            ]
        line = {"model": MODEL, "created_at": CREATED, "message": message, "done": True}
        return web.Response(
            text=f"{json.dumps(line)}\n", content_type="application/x-ndjson"
        )
