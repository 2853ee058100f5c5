"""Checks of secrets and storage."""

from dataclasses import asdict, replace
import os
from pathlib import Path
from shutil import disk_usage
from stat import S_IMODE
from typing import TYPE_CHECKING, Final

from homeassistant.helpers.storage import STORAGE_DIR

from ... import redaction
from ...const import DOMAIN
from ...diagnostics_data import build_sections
from ...diagnostics_data.source import DiagnosticsSource
from ...reports import Mode, Origin, Status
from ...storage import async_write_again, unwritten_stores
from ..canaries import CANARIES
from ..model import CheckResult, Component, check, expect_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model import CheckContext

GROUP_AND_OTHERS: Final = 0o077
# Bytes; the registries of Home Assistant have some hundred kB each.
MIN_FREE_SPACE: Final = 2**20


@check(component=Component.SECURITY, origin=Origin.HOME_ASSISTANT)
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


@check(component=Component.HOME_ASSISTANT, origin=Origin.HOME_ASSISTANT)
async def check_storage_writes(context: CheckContext) -> CheckResult:
    """Failed writes to the storage.

    A new device token would be lost at the next restart.
    """
    hass = context.hass
    # Reading is not enough to know that the disk has room again.
    if context.mode.includes(Mode.ACTIVE):
        await async_write_again(hass)
    faults = dict.fromkeys(unwritten_stores(hass), "not written")
    folder = Path(hass.config.path(STORAGE_DIR))
    if fault := await hass.async_add_executor_job(_folder_fault, folder):
        faults[STORAGE_DIR] = fault
    errors = context.runtime.client.introspection.store_errors
    failed = context.counted("store_errors")
    result = expect_none(
        len(faults),
        "stores",
        count=failed,
        names=", ".join(faults),
        error=errors.last or "-",
        details=tuple(f"{name}: {fault}" for name, fault in faults.items()),
    )
    if failed and not faults:
        return replace(result, status=Status.WARN, observed=failed)
    return result


def _folder_fault(folder: Path) -> str:
    """Return the reason for a read-only folder.

    None if it is writable.
    """
    if not folder.is_dir():
        return ""
    if not os.access(folder, os.W_OK):
        return "read-only"
    return "no space" if disk_usage(folder).free < MIN_FREE_SPACE else ""


@check(component=Component.SECURITY)
async def check_self_canary(_context: CheckContext) -> CheckResult:
    """Injected faults: each must be detected.

    A self-test without detection is worthless.
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
    secrets = redaction.known_secrets(
        context.entry.data, context.entry.options, *context.runtime.all_credentials
    )
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
