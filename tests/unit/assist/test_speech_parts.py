"""Parts of a text for text-to-speech."""

from collections.abc import AsyncGenerator

from hypothesis import given, strategies as st
import pytest

from custom_components.clawd.assist.speech_parts import MAX_PART, speech_parts

MAX_TEXT = 4096


async def chunks_of(*texts: str) -> AsyncGenerator[str]:
    for text in texts:
        yield text


async def parts_of(*texts: str) -> list[tuple[str, bool]]:
    return [part async for part in speech_parts(chunks_of(*texts))]


async def test_a_sentence_is_known_to_be_all() -> None:
    assert await parts_of("The light is on.") == [("The light is on.", True)]


async def test_the_first_sentence_comes_alone_and_the_others_together() -> None:
    text = "It is warm. It is dry. It is late."
    assert await parts_of(text) == [
        ("It is warm.", False),
        ("It is dry.", False),
        ("It is late.", False),
    ]


async def test_what_has_arrived_is_one_part() -> None:
    text = "One is here. Two is here. Three is here. Four is here"
    assert await parts_of(text, ".") == [
        ("One is here.", False),
        ("Two is here. Three is here.", False),
        ("Four is here.", False),
    ]


async def test_a_sentence_is_spoken_before_the_next_is_complete() -> None:
    async def chunks() -> AsyncGenerator[str]:
        yield "It is warm. An"
        pytest.fail("the first sentence was not spoken")

    parts = speech_parts(chunks())
    assert await anext(parts) == ("It is warm.", False)
    await parts.aclose()


@pytest.mark.parametrize("text", ["", " ", "…", "🎉", "\n---\n", "```\ncode\n```"])
async def test_what_has_no_words_is_not_spoken(text: str) -> None:
    assert await parts_of(text) == []


async def test_a_long_text_is_split_at_sentences() -> None:
    sentence = "This is one of many sentences. "
    parts = [part for part, _ in await parts_of(sentence * 200)]
    assert len(parts) == 9
    assert all(part.endswith("sentences.") for part in parts)
    assert max(map(len, parts)) <= MAX_PART


async def test_a_sentence_that_is_too_long_is_split_between_words() -> None:
    parts = [part for part, _ in await parts_of("word " * 1000)]
    assert " ".join(parts).split() == ["word"] * 1000
    assert max(map(len, parts)) <= MAX_PART


@given(st.lists(st.text(max_size=3000), max_size=4))
async def test_no_part_is_too_long_or_blank(texts: list[str]) -> None:
    parts = await parts_of(*texts)
    assert all(part.strip() == part and part for part, _ in parts)
    assert all(len(part) <= MAX_PART for part, _ in parts)
    # OpenClaw counts as JavaScript does.
    assert all(len(part.encode("utf-16-le")) <= 2 * MAX_TEXT for part, _ in parts)
    assert all(not all_of_it or len(parts) == 1 for _, all_of_it in parts)
