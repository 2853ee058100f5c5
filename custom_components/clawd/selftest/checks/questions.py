"""Check of open questions."""

from typing import TYPE_CHECKING, Final

from ...assist.agent_questions import get_agent_questions
from ..model import CheckResult, Component, check, expect_none
from ..prerequisites import connected, questions_asked

if TYPE_CHECKING:
    from ...assist.agent_questions import AgentQuestions
    from ...assist.open_question import OpenQuestion
    from ..model import CheckContext

# Seconds from the expiry to the event that tells of it.
EXPIRY_TOLERANCE: Final = 30.0


@check(component=Component.HOME_ASSISTANT, requires=(questions_asked, connected))
async def check_questions(context: CheckContext) -> CheckResult:
    """Orphaned or expired questions of agents.

    They cannot be answered, but the next sentence is taken for the answer.
    """
    questions = get_agent_questions(context.entry)
    assert questions  # noqa: S101 - no await since the prerequisite
    stray = await context.recheck(lambda: _stray(questions))
    expired = await context.recheck(lambda: _expired(questions))
    return expect_none(
        len({*stray, *expired}),
        "questions",
        open=len(questions.open),
        asked=len(questions.open) + sum(questions.outcomes.values()),
        stray=len(stray),
        expired=len(expired),
    )


def _stray(questions: AgentQuestions) -> list[OpenQuestion]:
    return [one for one in questions.open.values() if one.origin.run.ended]


def _expired(questions: AgentQuestions) -> list[OpenQuestion]:
    return [one for one in questions.open.values() if one.late > EXPIRY_TOLERANCE]
