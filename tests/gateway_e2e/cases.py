"""Prompts to an agent, and the expected replies."""

from dataclasses import dataclass
from typing import Final

from tests.simulator import Fail, Reply, Step, Tool


@dataclass(frozen=True)
class Case:
    """Prompt for the scripted model, and the simulator's equivalent script.

    `replies` has the complete reply by protocol, or None if the run fails.
    """

    message: str
    script: tuple[Step, ...]
    replies: dict[int, str | None]


def same_reply(text: str) -> dict[int, str | None]:
    """Return a reply that is equal on each protocol."""
    return {3: text, 4: text}


ECHO: Final = 'call exec {"command":"echo marmalade"}'
ECHO_TOOL: Final = Tool("exec", {"command": "echo marmalade"}, "marmalade")

CASES: Final = {
    "words": Case(
        "say The light in the hall is on.",
        (Reply("The light in the hall is on."),),
        same_reply("The light in the hall is on."),
    ),
    "unicode": Case(
        "say Grüße aus 東京 👋🏽 — naïve.",
        (Reply("Grüße aus 東京 👋🏽 — naïve."),),
        same_reply("Grüße aus 東京 👋🏽 — naïve."),
    ),
    "half a character": Case(
        r"say half \ud83d end",
        (Reply("half \ud83d end"),),
        same_reply("half \ufffd end"),
    ),
    "character split over chunks": Case(
        r"say Wave \ud83d\udc4b and \ud83d\udc4b again.",
        (Reply(chunks=("Wave", " \ud83d", "\udc4b and", " \ud83d", "\udc4b again.")),),
        same_reply("Wave 👋 and 👋 again."),
    ),
    "tool": Case(
        f"{ECHO} | quote",
        (ECHO_TOOL, Reply("marmalade")),
        same_reply("marmalade"),
    ),
    "text around a tool": Case(
        f"say Let me look. | {ECHO} | say It is done.",
        (Reply("Let me look."), ECHO_TOOL, Reply("It is done.")),
        same_reply("Let me look.\n\nIt is done."),
    ),
    "two tools": Case(
        f"say One. | {ECHO} | say Two. | {ECHO} | say Three.",
        (Reply("One."), ECHO_TOOL, Reply("Two."), ECHO_TOOL, Reply("Three.")),
        same_reply("One.\n\nTwo.\n\nThree."),
    ),
    "model failure": Case(
        "fail 400",
        (Fail("400 scripted failure"),),
        {3: None, 4: None},
    ),
}
