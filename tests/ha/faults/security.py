"""Faults of secrets, and of the self-test itself."""

import os
from pathlib import Path
import tempfile
from types import ModuleType, SimpleNamespace

from homeassistant.helpers.storage import STORAGE_DIR, Store
from homeassistant.util.file import WriteError

from custom_components.clawd import redaction
from custom_components.clawd.const import DOMAIN
from custom_components.clawd.selftest import detectors
from custom_components.clawd.selftest.checks import security

from ..fault_harness import Fault, FaultHarness
from ..report_assertions import Expected


async def readable_secret(harness: FaultHarness) -> None:
    """Let others read the files with secrets."""
    folder = Path(harness.cleanup.enter_context(tempfile.TemporaryDirectory()))
    harness.monkeypatch.setattr(harness.hass.config, "config_dir", str(folder))
    (folder / STORAGE_DIR).mkdir()
    secret = folder / STORAGE_DIR / f"{DOMAIN}.identity"
    secret.touch(0o644)
    secret.chmod(0o644)


async def unwritable_store(harness: FaultHarness) -> None:
    """Let no store be written, as on a disk that is full."""

    async def fail(*_: object) -> None:
        raise WriteError

    harness.monkeypatch.setattr(Store, "_async_write_data", fail)
    harness.gateway.edit(
        "hello-ok", lambda hello: hello["auth"].update(deviceToken="a-new-device-token")
    )
    await harness.reconnect()


async def read_only_storage(harness: FaultHarness) -> None:
    """Make the folder of the stores read-only."""
    folder = Path(harness.cleanup.enter_context(tempfile.TemporaryDirectory()))
    harness.monkeypatch.setattr(harness.hass.config, "config_dir", str(folder))
    (folder / STORAGE_DIR).mkdir()
    harness.monkeypatch.setattr(os, "access", lambda *_: False)


async def full_disk(harness: FaultHarness) -> None:
    """Fill the disk of the stores."""
    folder = Path(harness.cleanup.enter_context(tempfile.TemporaryDirectory()))
    harness.monkeypatch.setattr(harness.hass.config, "config_dir", str(folder))
    (folder / STORAGE_DIR).mkdir()
    harness.monkeypatch.setattr(
        security, "disk_usage", lambda _: SimpleNamespace(free=4096)
    )


async def token_as_version(harness: FaultHarness) -> None:
    """Send the token as the Gateway's version."""
    token = harness.gateway.token
    harness.gateway.edit(
        "hello-ok", lambda hello: hello["server"].update(version=token)
    )
    await harness.reconnect()


def blind(module: ModuleType, name: str, nothing: object) -> Fault:
    """Return the fault of a detector that detects nothing."""

    async def inject(harness: FaultHarness) -> None:
        harness.monkeypatch.setattr(module, name, lambda *_, **__: nothing)

    inject.__name__ = f"blind_{name}"
    inject.__doc__ = f"Let the detector `{name}` detect nothing."
    return Fault(inject, "self_canary", Expected(1, {"names": name}))


FAULTS = [
    Fault(
        readable_secret,
        "store_permissions",
        Expected(1, {"names": "clawd.identity"}, ("clawd.identity: 644",)),
    ),
    Fault(
        unwritable_store,
        "storage_writes",
        Expected(
            1,
            {"names": "clawd.device_token"},
            ("clawd.device_token: not written",),
        ),
    ),
    Fault(
        read_only_storage,
        "storage_writes",
        Expected(1, {"names": ".storage"}, (".storage: read-only",)),
    ),
    Fault(
        full_disk,
        "storage_writes",
        Expected(1, {"names": ".storage"}, (".storage: no space",)),
    ),
    blind(detectors, "ended_requests", []),
    blind(detectors, "imbalance", 0),
    blind(detectors, "overdue_runs", []),
    blind(detectors, "overdue_requests", []),
    blind(detectors, "oversized_runs", []),
    blind(detectors, "max_per_minute", 0),
    blind(detectors, "constant_delays", nothing=False),
    blind(detectors, "stray_timers", []),
    blind(detectors, "stray_tasks", []),
    blind(detectors, "duplicates", []),
    blind(detectors, "changed_counts", []),
    blind(detectors, "grown_counts", []),
    blind(redaction, "contains_secret", nothing=False),
    Fault(token_as_version, "redaction", Expected(2, {"names": "versions, hellos"})),
]
