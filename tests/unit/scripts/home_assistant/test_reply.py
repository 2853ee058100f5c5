"""The reply that the demo assembles from Home Assistant's deltas."""

from scripts.home_assistant.reply import Reply


def test_text_is_the_deltas_in_a_row() -> None:
    reply = Reply()
    reply.add({"role": "assistant"}, 1.0)
    new = [reply.add({"content": text}, 2.0) for text in ("Hel", "lo ", "you")]
    assert new == ["Hel", "lo ", "you"]
    assert reply.text == "Hello you"


def test_only_deltas_with_text_count() -> None:
    reply = Reply()
    reply.add({"role": "assistant"}, 1.0)
    reply.add({"content": ""}, 2.0)
    reply.add({"content": "Hi"}, 3.0)
    reply.add({"content": "!"}, 4.0)
    assert reply.deltas == 2
    assert reply.first_delta_ms == 3.0


def test_text_that_comes_with_the_role_counts() -> None:
    reply = Reply()
    assert reply.add({"role": "assistant", "content": "Hi"}, 1.0) == "Hi"
    assert reply.deltas == 1


def test_second_message_is_a_paragraph_of_its_own() -> None:
    reply = Reply()
    reply.add({"role": "assistant", "content": "Looking."}, 1.0)
    reply.add({"role": "tool_result", "tool_name": "look"}, 2.0)
    reply.add({"role": "assistant"}, 3.0)
    reply.add({"content": "Found"}, 4.0)
    reply.add({"content": " it."}, 5.0)
    assert reply.text == "Looking.\n\nFound it."


def test_message_without_text_adds_no_paragraph() -> None:
    reply = Reply()
    reply.add({"role": "assistant", "content": "Done."}, 1.0)
    reply.add({"role": "assistant"}, 2.0)
    assert reply.text == "Done."
