"""Long texts for speech, which are read in the event loop."""

import time

import pytest

from custom_components.clawd.assist.speech import SpeechText, speakable

# Characters of the longest text; its time was a minute in the worst case.
SIZE = 32_000
# Seconds of the processor, about ten times those needed.
LIMIT = 1.0


@pytest.mark.parametrize(
    ("start", "unit"),
    [
        ("", "灯已经打开了。"),
        ("", "灯已经打开了\uff0c"),
        ("", "灯已经打开了"),
        ("`", "灯已经打开了。"),
        ("[", "灯已经打开了\uff0c"),
        ("[", "灯已经打开了"),
        ("](", "灯已经打开了\uff0c"),
        ("$x ", "The light is on now. "),
        ("<b ", "the light is on now, "),
        ("", "`code. ` "),
        ("", " "),
        ("", "."),
        ("", "。"),
    ],
)
def test_the_time_is_linear(start: str, unit: str) -> None:
    text = (start + unit * SIZE)[:SIZE]
    begun = time.process_time()

    assert speakable(text)

    assert time.process_time() - begun < LIMIT


@pytest.mark.parametrize(
    ("opening", "closing"), [("`", "`"), ("[", "](https://e.example/a)")]
)
@pytest.mark.parametrize("sentences", [1, 2, 3, 4, 9, 40])
def test_a_construct_is_not_cut_at_its_sentences(
    opening: str, closing: str, sentences: int
) -> None:
    inner = "It is. " * sentences

    said = speakable(f"{opening}{inner}A{closing} and more. Then. The end")

    assert said == f"{inner}A and more. Then. The end"


@pytest.mark.parametrize("gap", ["", "A `b. c` d. "])
def test_a_long_sentence_is_cut_before_what_is_open(gap: str) -> None:
    words = "these are some words, " * 20

    said = speakable(f"{gap}{words}[and others, {words}")

    assert said.replace("`", "") == f"{gap}{words}[and others, {words}".replace("`", "")


@pytest.mark.parametrize("size", [199, 2000, 2399, 2600, 5000, 20_000])
@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("![A cat](data:image/png;base64,", "A cat"),
        ("See https://e.example/", "See e.example"),
        ("The key ", "The key "),
    ],
)
def test_data_are_not_spoken(before: str, said: str, size: int) -> None:
    data = ("iVBORw0KGgo/AAAA+NSUhEUg_" * size)[:size]
    end = ") Look." if "(" in before else " Look."

    for part in (1, 64, size * 2):
        speech, text = SpeechText(), f"{before}{data}{end}"
        words = [speech.feed(text[at : at + part]) for at in range(0, len(text), part)]
        whole = "".join([*words, speech.finish()])

        assert whole.startswith(said)
        assert whole.endswith(" Look.")
        assert len(whole) < 260


@pytest.mark.parametrize("text", ["3." + "1415926535" * 100, "-" * 300, "A" * 300])
def test_a_long_number_is_no_data(text: str) -> None:
    assert speakable(f"It is {text}.") == f"It is {text}."
