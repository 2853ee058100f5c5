"""Words around those that stop an agent."""

import pytest

from custom_components.clawd.assist.stop import is_stop


@pytest.mark.parametrize(
    "text",
    [
        "Stop it now",
        "No, stop!",
        "OK, stop that, please",
        "Okay, cancel.",
        "Stop, stop, stop!",
        "Please stop that now",
        "Stop doing that",
        "Hey, never mind that.",
        "Hör bitte auf!",
        "Hör auf damit",
        "Nein, stopp!",
        "Halt, stopp!",
        "Brich das bitte jetzt ab",
        "Stoppe das",
        "Lass gut sein",
        "No, déjalo ya",
        "Para, para, por favor",
        "Non, arrête tout !",
        "Stop ça, s'il te plaît",
        "Nee, stop dat nu",
        "Laat maar zitten",
    ],
)
def test_stop(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "No",
        "No, please",
        "OK",
        "Now",
        "Please, now",
        "Stop the music now",
        "Cancel my appointment, please",
        "When does it stop",
        "Is it OK to stop",
        "Stopp die Musik bitte",
        "Hör auf die Musik",
        "Brich die Fahrt bitte ab",
        "No pares",
        "N'arrête pas",
        "Annule mon rendez-vous",
        "Stop niet",
        "Do not stop",
    ],
)
def test_something_else(text: str) -> None:
    assert not is_stop(text)
