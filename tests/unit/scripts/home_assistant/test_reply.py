"""Reply assembled from chat log deltas."""

from scripts.home_assistant.reply import Reply


def test_text_is_concatenated_deltas() -> None:
    reply = Reply()
    reply.add({"role": "assistant"}, 1.0)
    new = [reply.add({"content": text}, 2.0) for text in ("Hel", "lo ", "you")]
    assert new == ["Hel", "lo ", "you"]
    assert reply.text == "Hello you"


def test_only_deltas_with_text_are_counted() -> None:
    reply = Reply()
    reply.add({"role": "assistant"}, 1.0)
    reply.add({"content": ""}, 2.0)
    reply.add({"content": "Hi"}, 3.0)
    reply.add({"content": "!"}, 4.0)
    assert reply.deltas == 2
    assert reply.first_delta_ms == 3.0


def test_text_with_role_is_counted() -> None:
    reply = Reply()
    assert reply.add({"role": "assistant", "content": "Hi"}, 1.0) == "Hi"
    assert reply.deltas == 1


def test_second_message_is_new_paragraph() -> None:
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
