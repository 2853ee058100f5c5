"""Command `scripts/docs`."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
import sys
from typing import Final

from scripts.home_assistant.folder import COMPONENT, ROOT
from scripts.translations import Texts, texts_of

from .blocks import Blocks, DocumentationError, update
from .checks import self_test_page, services_file
from .diagnostics import diagnostics_page
from .errors import troubleshooting_page
from .settings import settings_page

FILES: Final[Mapping[Path, Callable[[Texts], Blocks]]] = {
    ROOT / "docs" / "self-test.md": self_test_page,
    ROOT / "docs" / "settings.md": settings_page,
    ROOT / "docs" / "troubleshooting.md": troubleshooting_page,
    ROOT / "docs" / "diagnostics.md": diagnostics_page,
    COMPONENT / "services.yaml": services_file,
}


def main() -> int:
    """Write or check the files; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/docs",
        description="Write the generated parts of the documentation.",
    )
    parser.add_argument(
        "--check", action="store_true", help="only name the files that are stale"
    )
    check: bool = parser.parse_args().check
    texts = texts_of("en")
    results = [
        _update(path, build, texts, check=check) for path, build in FILES.items()
    ]
    return int(not all(results))


def _update(
    path: Path, build: Callable[[Texts], Blocks], texts: Texts, *, check: bool
) -> bool:
    """Write or check a file; return success."""
    name = path.relative_to(ROOT)
    try:
        text = update(path, build(texts))
    except DocumentationError as err:
        print(f"docs: {name}: {err}", file=sys.stderr)
        return False
    if text is None:
        return True
    if check:
        print(f"docs: {name} is stale: run scripts/docs", file=sys.stderr)
        return False
    path.write_text(text, "utf-8")
    print(f"docs: {name}")
    return True


if __name__ == "__main__":
    sys.exit(main())
