"""Scripted OpenAI-compatible model on loopback."""

import asyncio
from collections.abc import AsyncIterator
import json
import socket
from typing import Any
from uuid import uuid4

from aiohttp import web

from .model_script import Step, plan, tokens_of

# A red one.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJ"
    "RU5ErkJggg=="
)
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


async def deltas_of(step: Step) -> AsyncIterator[dict[str, Any]]:
    """Yield the deltas of one step with its delays."""
    if step.verb == "call":
        name, _, arguments = step.argument.partition(" ")
        function = {"name": name, "arguments": arguments or "{}"}
        call = {"id": uuid4().hex, "type": "function", "function": function}
        yield {"tool_calls": [{"index": 0} | call]}
        return
    if step.verb == "wait":
        await asyncio.sleep(float(step.argument))
        return
    tokens, delay = tokens_of(step)
    for token in tokens:
        yield {"content": token}
        await asyncio.sleep(delay)


def encode_chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    """Return a completion chunk as a server-sent event."""
    chunk = {
        "id": "completion",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        "usage": USAGE if finish_reason else None,
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


async def complete(request: web.Request) -> web.StreamResponse:
    """Stream a scripted chat completion."""
    steps = plan((await request.json())["messages"])
    last = steps[-1]
    if last.verb == "fail":
        error = {"error": {"message": "scripted failure"}}
        return web.json_response(error, status=int(last.argument))
    if last.verb == "hang":
        await asyncio.Future()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for step in steps:
        async for delta in deltas_of(step):
            await response.write(encode_chunk(delta))
    finish_reason = "tool_calls" if last.verb == "call" else "stop"
    await response.write(encode_chunk({}, finish_reason) + b"data: [DONE]\n\n")
    return response


async def make_image(_: web.Request) -> web.Response:
    """Return an image of one pixel."""
    return web.json_response({"created": 0, "data": [{"b64_json": PIXEL}]})


def main() -> None:
    """Serve the model and print its base URL."""
    application = web.Application(client_max_size=64 * 2**20)
    application.router.add_post("/v1/chat/completions", complete)
    application.router.add_post("/v1/images/generations", make_image)
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(f"http://127.0.0.1:{server.getsockname()[1]}/v1", flush=True)
        web.run_app(application, sock=server, print=None, handler_cancellation=True)


if __name__ == "__main__":
    main()
