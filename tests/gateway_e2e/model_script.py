"""Script of the model, which stands in a line of the user's message.

    say TEXT        reply with TEXT, a word a token
    count N every D reply with N numbered tokens, D ms apart
    call NAME {…}   call the tool NAME and go on when it has answered
    quote           reply with what the last tool answered
    fail STATUS     answer with that HTTP status
    hang            never answer

The steps of a script are joined by ` | `. A message without a script gets a
sentence about the model.
"""

from dataclasses import dataclass
import re
from typing import Any, Final

type Message = dict[str, Any]

VERBS: Final = "say|count|call|quote|fail|hang"
SCRIPT: Final = re.compile(rf"^(?:\[[^\]]*\] )?((?:{VERBS})\b.*)$", re.MULTILINE)
STEP: Final = re.compile(rf"({VERBS})\b ?(.*)")
INTERNAL: Final = "BEGIN_OPENCLAW_INTERNAL"
GREETING: Final = "say I am the scripted model of the tests."
WORD_DELAY: Final = 0.02


@dataclass(frozen=True)
class Step:
    """One thing that the model does."""

    verb: str
    argument: str


def text_of(message: Message) -> str:
    """Return a message's text, whose content is a string or a list of parts."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def split_turn(messages: list[Message]) -> tuple[str, list[str]]:
    """Return the user's last message and what the tools have answered since."""
    answers: list[str] = []
    for message in reversed(messages):
        text = text_of(message) if message["role"] != "assistant" else ""
        if message["role"] == "tool":
            answers.insert(0, text)
        if message["role"] == "user" and INTERNAL not in text:
            return text, answers
    return "", answers


def parse_script(text: str) -> list[Step]:
    """Return the steps in a message, to which the Gateway has added lines."""
    script = SCRIPT.search(text)
    parts = (script[1] if script else GREETING).split(" | ")
    matches = [STEP.fullmatch(part.strip()) for part in parts]
    return [Step(match[1], match[2]) for match in matches if match]


def plan(messages: list[Message]) -> list[Step]:
    """Return the steps to take now: behind the calls answered, up to the next."""
    text, answers = split_turn(messages)
    steps = parse_script(text)
    for _ in answers:
        calls = [index for index, step in enumerate(steps) if step.verb == "call"]
        steps = steps[calls[0] + 1 :]
    for index, step in enumerate(steps):
        if step.verb == "quote":
            steps[index] = Step("say", answers[-1])
        if step.verb == "call":
            return steps[: index + 1]
    return steps


def tokens_of(step: Step) -> tuple[list[str], float]:
    """Return the tokens of a reply and the delay after each, in seconds."""
    if step.verb == "count":
        count, _, delay = step.argument.partition(" every ")
        return [f"{number} " for number in range(int(count))], int(delay) / 1000
    return re.findall(r"\s*\S+", step.argument), WORD_DELAY
