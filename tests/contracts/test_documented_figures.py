"""Figures and settings in the documentation."""

import json
import re

import pytest

from custom_components.clawd.actions import answer, start_task
from custom_components.clawd.assist import attachments, structure
from custom_components.clawd.const import MAX_HANDOFF_AGE
from custom_components.clawd.gateway import headers, run_result
from custom_components.clawd.home import (
    announcements,
    limits,
    looking,
    messages,
    prompt,
    satellites,
    tool_run,
)
from tests.gateway_e2e.speaker import speech_settings

from .sources import ROOT

DOCS = ROOT / "docs"
LIMITS = (DOCS / "limits.md").read_text("utf-8")
FIGURES = (
    f"{attachments.MAX_FILE_SIZE // 1_000_000} MB",
    f"{attachments.MAX_DECODED_PIXELS // 1_000_000} megapixels",
    f"{structure.MAX_REPLY:,} characters",
    f"{run_result.MAX_MEDIA}",
    f"{start_task.MAX_TASKS}",
    f"{answer.MAX_ANSWER_LENGTH:,} characters",
    f"{limits.MAX_CALLS_OF_RUN}",
    f"{limits.MAX_SAME_CALLS_OF_RUN}",
    f"{limits.MAX_CALLS_OF_WINDOW}",
    f"{messages.MAX_ANNOUNCEMENT} characters",
    f"{messages.MAX_QUESTION} characters",
    f"{messages.MAX_ANSWERS}",
    f"{messages.MAX_NOTIFICATION:,} characters",
    f"{looking.MAX_QUESTION} characters",
    f"{prompt.MAX_ENTITIES}",
    f"{prompt.MAX_PROMPT:,} characters",
    f"{tool_run.MAX_RESULT:,} characters",
    f"{announcements.MAX_SPOKEN} characters",
    f"{satellites.IDLE_TIMEOUT:.0f} s",
    f"{MAX_HANDOFF_AGE:,.0f} s",
    f"{headers.MAX_HEADERS}",
)
# Sentences with a figure, by page.
SENTENCES = (
    ("home.md", f"{limits.MAX_CALLS_OF_RUN} actions per reply,"),
    ("home.md", f"and {limits.MAX_CALLS_OF_WINDOW} per minute."),
    ("home.md", f"{limits.MAX_MESSAGES_OF_MINUTE} messages of an agent per minute,"),
    ("home.md", f"per minute, {limits.MAX_MESSAGES_OF_HOUR} per hour."),
    ("home.md", f"{limits.MAX_LOOKS_OF_MINUTE} looks of an agent per minute,"),
    ("home.md", f"per minute, {limits.MAX_LOOKS_OF_HOUR} per hour."),
    ("actions.md", f"At most {start_task.MAX_TASKS} of a Gateway run at a time"),
    ("actions.md", f"of at most {start_task.MAX_NAME} characters"),
)


def test_the_table_of_figures_is_that_of_the_code() -> None:
    table = LIMITS.partition("## Figures")[2]
    found = re.findall(r"^\| (?!what|---).* \| (.*) \|$", table, re.MULTILINE)
    assert tuple(found) == FIGURES


@pytest.mark.parametrize(("page", "sentence"), SENTENCES)
def test_a_figure_in_a_sentence_is_that_of_the_code(page: str, sentence: str) -> None:
    assert sentence in (DOCS / page).read_text("utf-8")


def test_the_configuration_of_a_voice_is_one_that_is_tested() -> None:
    [example] = re.findall(
        r"```json\n(.*?)```", (DOCS / "voice.md").read_text("utf-8"), re.DOTALL
    )
    # `test_espeak_speaks` gives it to a real Gateway.
    args = ("-w", "{{OutputPath}}", "{{Text}}")
    assert json.loads(example) == speech_settings("espeak-ng", *args)
