"""Report of missing translations: python -m scripts.translations."""

from collections.abc import Iterator, Mapping
import json

from scripts.home_assistant.folder import COMPONENT

FOLDER = COMPONENT / "translations"

type Texts = Mapping[str, str]  # by dotted key


def languages() -> list[str]:
    """Return the languages other than English."""
    return sorted({path.stem for path in FOLDER.glob("*.json")} - {"en"})


def texts_of(language: str) -> Texts:
    """Read the texts of a language."""
    content = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    return dict(_flat(content))


def report(english: Texts, others: Mapping[str, Texts]) -> Iterator[str]:
    """Yield a line for each incomplete language."""
    # A report, not a failure: Home Assistant loads en.json of every integration, custom
    # ones included, and lays the user's language over it (`_TranslationCache` in
    # homeassistant/helpers/translation.py). So a missing key shows the English text.
    for language, texts in others.items():
        if missing := [key for key in english if key not in texts]:
            keys = "key" if len(missing) == 1 else "keys"
            yield f"{language} lacks {len(missing)} {keys}: {', '.join(missing)}"


def main() -> None:
    """Print the report."""
    others = {language: texts_of(language) for language in languages()}
    for line in report(texts_of("en"), others):
        print(f"translations: {line}")


def _flat(node: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


if __name__ == "__main__":
    main()
