r"""Script of the model.

    say TEXT        reply with TEXT, one word per token
    count N every D reply with N numbered tokens, D ms apart
    call NAME {…}   call the tool NAME and continue with its result
    use NAME {…}    the same for a tool of a node, by the Gateway's `tool_call`
    quote           reply with the last tool result
    describe F…     reply with fields of the user's pictures: pictures, color, size
    fail STATUS     respond with that HTTP status
    wait S          say nothing for S seconds
    hang            never respond

The steps of a script are joined by ` | `. Halves of characters are written as
`\ud83d`, and are tokens of their own; ends of lines as `\n`. A message of SENTENCES
stands for its script; one without a script gets a sentence about the model.
"""

from base64 import b64decode
from dataclasses import dataclass
from io import BytesIO
import json
import re
from typing import Any, Final

from PIL import Image

type Message = dict[str, Any]

VERBS: Final = "say|count|call|use|quote|describe|fail|wait|hang"
SCRIPT: Final = re.compile(rf"^(?:\[[^\]]*\] )?((?:{VERBS})\b.*)$", re.MULTILINE)
STEP: Final = re.compile(rf"({VERBS})\b ?(.*)")
INTERNAL: Final = "BEGIN_OPENCLAW_INTERNAL"
HALF: Final = re.compile(r"\\u(d[89a-f][0-9a-f]{2})", re.IGNORECASE)
TOKEN: Final = re.compile(r"\s*(?:[\ud800-\udfff]|[^\s\ud800-\udfff]+)")
UNLOCK: Final = (
    'use home_control {"action":"HassTurnOff","name":"Front door","domain":["lock"]}'
    " | quote"
)
SENTENCES: Final = {
    "turn on the kitchen light": (
        'use home_control {"action":"HassTurnOn","name":"Kitchen light"}'
        " | say The kitchen light is on."
    ),
    "look at the front door": (
        'use home_look {"camera":"Front door","question":"describe size"} | quote'
    ),
    "unlock the door": UNLOCK,
    "yes, unlock it": UNLOCK,
    "what color is the front door": "describe pictures color",
}
SENTENCE: Final = re.compile(
    rf"^(?:\[[^\]]*\] )?({'|'.join(SENTENCES)})\W*$", re.MULTILINE | re.IGNORECASE
)
GREETING: Final = "say I am the scripted model of the tests."
WORD_DELAY: Final = 0.02


@dataclass(frozen=True)
class Step:
    """Step of the model's script."""

    verb: str
    argument: str


def text_of(message: Message) -> str:
    """Return a message's text, from a string or content parts."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def split_turn(messages: list[Message]) -> tuple[str, list[str]]:
    """Return the last user message and its tool results."""
    results: list[str] = []
    for message in reversed(messages):
        text = text_of(message) if message["role"] != "assistant" else ""
        if message["role"] == "tool":
            results.insert(0, text)
        if message["role"] == "user" and INTERNAL not in text:
            return text, results
    return "", results


def describe_pictures(messages: list[Message]) -> dict[str, Any]:
    """Describe the user's pictures."""
    contents = [m["content"] for m in messages if m["role"] == "user"]
    parts = [part for one in contents if isinstance(one, list) for part in one]
    urls = [part["image_url"]["url"] for part in parts if "image_url" in part]
    seen: dict[str, Any] = {"pictures": len(urls), "color": "none", "size": "none"}
    if urls:
        # data:image/jpeg;base64,…
        picture = Image.open(BytesIO(b64decode(urls[-1].partition(",")[2])))
        seen["size"] = f"{picture.format} of {picture.width} x {picture.height}"
        mean = picture.convert("RGB").resize((1, 1)).tobytes()
        seen["color"] = max(zip(mean, ("red", "green", "blue"), strict=True))[1]
    return seen


def parse_script(text: str) -> list[Step]:
    """Parse the steps of a message.

    The Gateway may have added lines around the script.
    """
    # The Gateway puts a message that was stopped before an answer above the next one.
    if scripts := SCRIPT.findall(text):
        steps = scripts[-1]
    elif sentences := SENTENCE.findall(text):
        steps = SENTENCES[sentences[-1].lower()]
    else:
        steps = GREETING
    matches = [STEP.fullmatch(part.strip()) for part in steps.split(" | ")]
    return [_call_of(Step(match[1], match[2])) for match in matches if match]


def _call_of(step: Step) -> Step:
    """Return a step; the use of a node's tool as a call."""
    if step.verb != "use":
        return step
    name, _, arguments = step.argument.partition(" ")
    call = json.dumps({"id": name, "args": json.loads(arguments)})
    return Step("call", f"tool_call {call}")


def plan(messages: list[Message]) -> list[Step]:
    """Return the next steps, up to the next tool call."""
    text, results = split_turn(messages)
    steps = parse_script(text)
    for _ in results:
        calls = [index for index, step in enumerate(steps) if step.verb == "call"]
        steps = steps[calls[0] + 1 :]
    for index, step in enumerate(steps):
        if step.verb == "quote":
            steps[index] = Step("say", results[-1])
        if step.verb == "describe":
            seen = describe_pictures(messages)
            seen = {field: seen[field] for field in step.argument.split()}
            steps[index] = Step("say", json.dumps(seen))
        if step.verb == "call":
            return steps[: index + 1]
    return steps


def tokens_of(step: Step) -> tuple[list[str], float]:
    """Return the tokens of a reply, and their delay."""
    if step.verb == "count":
        count, _, delay = step.argument.partition(" every ")
        return [f"{number} " for number in range(int(count))], int(delay) / 1000
    text = HALF.sub(lambda half: chr(int(half[1], 16)), step.argument)
    text = text.replace(r"\n", "\n")
    return TOKEN.findall(text), WORD_DELAY
