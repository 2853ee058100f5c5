"""Faults of what the integration has in Home Assistant, planted in a live system."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import tempfile
from time import perf_counter
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.storage import STORAGE_DIR

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.coordinator import ClawdCoordinator
from custom_components.clawd.gateway import ConnectionState
from custom_components.clawd.gateway.aborts import Aborts
from custom_components.clawd.selftest import checks_entry

from .devices import gateway_device
from .live import Fault, Live, until


def _fail(*_: object) -> None:
    raise RuntimeError


async def failing_task(live: Live) -> None:
    """Let a task of the client end with an exception."""
    live.monkeypatch.setattr(Aborts, "abort", _fail)
    live.gateway.hold("agent")

    async def ask() -> None:
        await live.runtime.client.start_run("Hi", session_key="agent:main:ha-task")

    task = asyncio.create_task(ask())
    await live.gateway.wait_for_request("agent")
    task.cancel()
    await asyncio.wait([task])


async def forgotten_timer(live: Live) -> None:
    """Leave a timer behind that nobody knows of."""
    loop = asyncio.get_running_loop()
    timer = loop.call_later(60, live.runtime.client.resume)
    live.afterwards.callback(timer.cancel)


async def failing_listener(live: Live) -> None:
    """Raise in a listener."""
    unsubscribe = live.runtime.client.subscribe("tick", _fail)
    live.gateway.before("health", ("tick", {}))
    await live.runtime.client.request("health")
    unsubscribe()


async def nothing_given_back(live: Live) -> None:
    """Reload without giving back what the first life had acquired."""
    original: Any = ConfigEntry.async_on_unload

    def forget(entry: ConfigEntry, release: Callable[[], None]) -> None:
        if "async_hold" in release.__qualname__:
            live.afterwards.callback(release)
        else:
            original(entry, release)

    live.monkeypatch.setattr(ConfigEntry, "async_on_unload", forget)
    await live.hass.config_entries.async_reload(live.entry.entry_id)
    await live.hass.config_entries.async_reload(live.entry.entry_id)


async def deaf_entities(live: Live) -> None:
    """Tell the entities nothing of the connection."""
    live.monkeypatch.setattr(
        ClawdCoordinator, "async_set_updated_data", lambda *_: None
    )
    await live.gateway.suspend()
    client = live.runtime.client
    await until(lambda: client.state is ConnectionState.RECONNECTING)


async def stale_device(live: Live) -> None:
    """Keep a device without entities."""
    dr.async_get(live.hass).async_get_or_create(
        config_entry_id=live.entry.entry_id,
        identifiers={(DOMAIN, "stale")},
        name="Stale",
    )


async def stale_entity(live: Live) -> None:
    """Keep an entity that nobody adds any more."""
    device = gateway_device(live.hass, live.entry)
    er.async_get(live.hass).async_get_or_create(
        "sensor",
        DOMAIN,
        "stale",
        config_entry=live.entry,
        device_id=device.id,
        suggested_object_id="stale",
    )


async def missing_text(live: Live) -> None:
    """Delete a text."""
    original: Any = vars(checks_entry)["async_get_translations"]

    async def get(*args: object) -> dict[str, str]:
        texts = dict(await original(*args))
        del texts[f"component.{DOMAIN}.exceptions.check_protocol_hint.message"]
        return texts

    live.monkeypatch.setattr(checks_entry, "async_get_translations", get)


async def blocked_loop(live: Live) -> None:
    """Block the event loop now and then."""
    live.monkeypatch.setattr(checks_entry, "LAG_LIMIT", 0.02)
    loop = asyncio.get_running_loop()

    def block() -> None:
        end = perf_counter() + 0.03
        while perf_counter() < end:
            continue
        timers[0] = loop.call_later(0.005, block)

    timers = [loop.call_later(0, block)]
    live.afterwards.callback(lambda: timers.pop().cancel())


async def readable_secret(live: Live) -> None:
    """Let others read the files with the secrets."""
    folder = Path(live.afterwards.enter_context(tempfile.TemporaryDirectory()))
    live.monkeypatch.setattr(live.hass.config, "config_dir", str(folder))
    (folder / STORAGE_DIR).mkdir()
    secret = folder / STORAGE_DIR / f"{DOMAIN}.identity"
    secret.touch(0o644)
    secret.chmod(0o644)


FAULTS: list[Fault] = [
    Fault(failing_task, "task_exceptions", differs=True),
    Fault(forgotten_timer, "timer_registry"),
    Fault(failing_listener, "handler_errors"),
    Fault(nothing_given_back, "unload_ledger"),
    Fault(deaf_entities, "entity_availability"),
    Fault(stale_device, "registry"),
    Fault(stale_entity, "registry"),
    Fault(missing_text, "translations"),
    Fault(blocked_loop, "loop_lag"),
    Fault(readable_secret, "store_permissions"),
]
