"""Commands of a release: check [TAG], build, notes."""

import argparse
import sys

from scripts.home_assistant.folder import COMPONENT, ROOT

from .package import CHECKSUMS, build_package
from .version import ReleaseError, check_version, release_notes

DIST = ROOT / "dist"


def main() -> int:
    """Run a command; return the exit status."""
    arguments = _parser().parse_args()
    try:
        match arguments.command:
            case "check":
                print(f"version {check_version(ROOT, arguments.tag)}")
            case "build":
                build_package(COMPONENT, DIST)
                print((DIST / CHECKSUMS).read_text(), end="")
            case "notes":
                print(release_notes(ROOT))
    except ReleaseError as err:
        print(f"release: {err}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.release")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check", help="check that all files have the same version"
    )
    check.add_argument("tag", nargs="?", help="the tag, such as v1.2.3")
    commands.add_parser("build", help="write dist/clawd.zip and its checksum")
    commands.add_parser("notes", help="print the changelog's newest entry")
    return parser


if __name__ == "__main__":
    sys.exit(main())
