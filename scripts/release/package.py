"""Package of a release for HACS."""

from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

NAME = "clawd.zip"
CHECKSUMS = "SHA256SUMS"

# The earliest time in a zip: the same files make the same package.
EPOCH = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644 << 16


def build_package(component: Path, folder: Path) -> Path:
    """Write the package and its checksum.

    HACS unpacks it into `custom_components/clawd`, so the component's files are at
    its root.
    """
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / NAME
    with ZipFile(package, "w", ZIP_DEFLATED) as archive:
        for path in _files(component):
            entry = ZipInfo(path.relative_to(component).as_posix(), EPOCH)
            entry.external_attr = FILE_MODE
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    digest = sha256(package.read_bytes()).hexdigest()
    (folder / CHECKSUMS).write_text(f"{digest}  {NAME}\n")
    return package


def _files(component: Path) -> list[Path]:
    return sorted(
        path
        for path in component.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
