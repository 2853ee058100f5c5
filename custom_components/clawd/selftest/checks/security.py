"""Checks of secrets, and of the self-test itself."""

from dataclasses import asdict
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING, Final

from homeassistant.helpers.storage import STORAGE_DIR

from ... import redaction
from ...const import DOMAIN
from ...diagnostics_data import DiagnosticsSource, build_sections
from ..canaries import CANARIES
from ..model import CheckResult, Component, check, expect_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model import CheckContext

GROUP_AND_OTHERS: Final = 0o077


@check(component=Component.SECURITY)
async def check_store_permissions(context: CheckContext) -> CheckResult:
    """Permissions of the files with secrets.

    Only Home Assistant may read the token.
    """
    folder = Path(context.hass.config.path(STORAGE_DIR))
    modes = await context.hass.async_add_executor_job(_file_modes, folder)
    readable = [name for name, mode in modes.items() if mode & GROUP_AND_OTHERS]
    return expect_none(
        len(readable),
        "files",
        count=len(modes),
        names=", ".join(readable),
        details=tuple(f"{name}: {mode:o}" for name, mode in modes.items()),
    )


@check(component=Component.SECURITY)
async def check_self_canary(_context: CheckContext) -> CheckResult:
    """Faults planted in a sandbox: each must be detected.

    A self-test that detects nothing is worth nothing.
    """
    blind = [name for name, detects in CANARIES.items() if not await detects()]
    return expect_none(
        len(blind), "detectors", count=len(CANARIES), names=", ".join(blind)
    )


@check(component=Component.SECURITY)
async def check_redaction(context: CheckContext) -> CheckResult:
    """Secrets in diagnostics and report.

    Both are made to be shared.
    """
    secrets = redaction.known_secrets(context.entry.data, context.runtime.credentials)
    parts: dict[str, object] = {
        outcome.check.id: asdict(outcome.result) for outcome in context.outcomes
    }
    parts |= build_sections(
        DiagnosticsSource(context.hass, context.entry, context.runtime)
    )
    leaking = [
        name for name, part in parts.items() if redaction.contains_secret(part, secrets)
    ]
    return expect_none(
        len(leaking),
        "places",
        count=len(parts),
        secrets=len(secrets),
        names=", ".join(leaking),
    )


def _file_modes(folder: Path) -> Mapping[str, int]:
    """Return the permissions of the integration's files."""
    return {
        path.name: S_IMODE(path.stat().st_mode) for path in folder.glob(f"{DOMAIN}.*")
    }
