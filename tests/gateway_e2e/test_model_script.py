"""Tests of the scripted model's script."""

from .model_script import Step, plan


def test_message_above_the_last_one_is_not_the_script() -> None:
    # OpenClaw repeats a message that was stopped before its answer.
    content = "[Context only.]\nwait 60 | say Never.\n\nsay Now."
    assert plan([{"role": "user", "content": content}]) == [Step("say", "Now.")]
