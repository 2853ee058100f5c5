"""Questions to an agent, and what comes of them on each protocol."""

from dataclasses import dataclass
from typing import Final

from tests.simulator import Fail, Reply, Step, Tool


@dataclass(frozen=True)
class Case:
    """A question in the words of the scripted model, the same as a simulator's script.

    `replies` has the whole reply by protocol, or None where the run fails.
    """

    message: str
    script: tuple[Step, ...]
    replies: dict[int, str | None]


def same(text: str) -> dict[int, str | None]:
    """Return a reply that is the same on each protocol."""
    return {3: text, 4: text}


ECHO: Final = 'call exec {"command":"echo marmalade"}'
ECHO_TOOL: Final = Tool("exec", {"command": "echo marmalade"}, "marmalade")

CASES: Final = {
    "words": Case(
        "say The light in the hall is on.",
        (Reply("The light in the hall is on."),),
        same("The light in the hall is on."),
    ),
    "unicode": Case(
        "say Grüße aus 東京 👋🏽 — naïve.",
        (Reply("Grüße aus 東京 👋🏽 — naïve."),),
        same("Grüße aus 東京 👋🏽 — naïve."),
    ),
    "tool": Case(
        f"{ECHO} | quote",
        (ECHO_TOOL, Reply("marmalade")),
        same("marmalade"),
    ),
    "text around a tool": Case(
        f"say Let me look. | {ECHO} | say It is done.",
        (Reply("Let me look."), ECHO_TOOL, Reply("It is done.")),
        same("Let me look.\n\nIt is done."),
    ),
    "two tools": Case(
        f"say One. | {ECHO} | say Two. | {ECHO} | say Three.",
        (Reply("One."), ECHO_TOOL, Reply("Two."), ECHO_TOOL, Reply("Three.")),
        same("One.\n\nTwo.\n\nThree."),
    ),
    "model failure": Case(
        "fail 400",
        (Fail("400 scripted failure"),),
        {3: "400 scripted failure", 4: None},
    ),
}
