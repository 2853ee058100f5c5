"""Scripted OpenAI-compatible model, which does what the user's message says.

A line of the message is one or more steps joined by ` | `:

    say TEXT        reply with TEXT, a word a token
    count N every D reply with N numbered tokens, D ms apart
    call NAME {…}   call the tool NAME, go on with the next step after its result
    fail STATUS     answer with that HTTP status
    hang            never answer

Any other message gets a sentence about the model.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
import json
import re
import socket
from typing import Any, Final

from aiohttp import web

type Message = dict[str, Any]
type Step = tuple[str, str]

VERBS: Final = "say|count|call|fail|hang"
SCRIPT: Final = re.compile(rf"^(?:\[[^\]]*\] )?((?:{VERBS})\b.*)$", re.MULTILINE)
STEP: Final = re.compile(rf"({VERBS})\b ?(.*)")
INTERNAL: Final = "BEGIN_OPENCLAW_INTERNAL"
GREETING: Final = "say I am the scripted model of the tests."
WORD_DELAY: Final = 0.02


def text_of(message: Message) -> str:
    """Return a message's text, whose content is a string or a list of parts."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def split_turn(messages: list[Message]) -> tuple[str, int]:
    """Return the user's last message and how many tools have answered since."""
    answered = 0
    for message in reversed(messages):
        if message["role"] == "tool":
            answered += 1
        if message["role"] == "user" and INTERNAL not in (text := text_of(message)):
            return text, answered
    return "", answered


def parse_script(text: str) -> list[Step]:
    """Return the steps of the line with the script; Gateways add text around it."""
    script = SCRIPT.search(text)
    parts = (script[1] if script else GREETING).split(" | ")
    matches = [STEP.fullmatch(part.strip()) for part in parts]
    return [(match[1], match[2]) for match in matches if match]


def steps_of_turn(steps: list[Step], answered: int) -> Iterator[Step]:
    """Yield the steps behind the tool calls that were answered, up to the next."""
    for step in steps:
        if answered == 0:
            yield step
        if step[0] == "call":
            if answered == 0:
                return
            answered -= 1


async def deltas_of(step: Step) -> AsyncIterator[dict[str, Any]]:
    """Yield the deltas of one step, at the step's pace."""
    verb, rest = step
    if verb == "call":
        name, _, arguments = rest.partition(" ")
        function = {"name": name, "arguments": arguments or "{}"}
        yield {
            "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function", "function": function}
            ]
        }
        return
    tokens, delay = re.findall(r"\s*\S+", rest), WORD_DELAY
    if verb == "count":
        count, _, pace = rest.partition(" every ")
        tokens, delay = [f"{number} " for number in range(int(count))], int(pace) / 1000
    for token in tokens:
        yield {"content": token}
        await asyncio.sleep(delay)


def encode_chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    """Return one server-sent event with a piece of the completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk: dict[str, Any] = {
        "id": "completion",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "scripted",
        "choices": [choice],
    }
    if finish_reason:
        chunk["usage"] = {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
        }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


async def complete(request: web.Request) -> web.StreamResponse:
    """Answer one chat completion."""
    text, answered = split_turn((await request.json())["messages"])
    steps = list(steps_of_turn(parse_script(text), answered))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    for verb, rest in steps:
        if verb == "fail":
            return web.json_response(
                {"error": {"message": "scripted failure"}}, status=int(rest or 500)
            )
        if verb == "hang":
            await asyncio.Future()
    await response.prepare(request)
    for step in steps:
        async for delta in deltas_of(step):
            await response.write(encode_chunk(delta))
    finish_reason = "tool_calls" if steps and steps[-1][0] == "call" else "stop"
    await response.write(encode_chunk({}, finish_reason) + b"data: [DONE]\n\n")
    return response


def main() -> None:
    """Serve the model on a free port of loopback and print its base URL."""
    application = web.Application(client_max_size=64 * 2**20)
    application.router.add_post("/v1/chat/completions", complete)
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(f"http://127.0.0.1:{server.getsockname()[1]}/v1", flush=True)
        web.run_app(application, sock=server, print=None, handler_cancellation=True)


if __name__ == "__main__":
    main()
