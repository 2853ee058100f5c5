"""Repair issues of proxies and storage."""

from collections.abc import AsyncGenerator
from datetime import timedelta
import errno
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_SSL, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.clawd.const import CONF_FINGERPRINT, CONF_HEADERS
from custom_components.clawd.gateway import (
    CertificateError,
    GatewayError,
    ProxyRefusedError,
    SignInRequiredError,
)
from custom_components.clawd.repairs import async_create_fix_flow
from custom_components.clawd.storage import (
    DeviceTokenStore,
    EntryStore,
    async_save_store,
    unwritten_stores,
)
from tests.simulator import GatewaySimulator, Refusal
from tests.simulator.tls import certificate, fingerprint, server_context

from .flows import formatted_fingerprint, ignore_failed_handshakes
from .issue_causes import client_of, reconnect
from .repair import Repair, open_issues, texts_of
from .self_test import run_self_test, statuses
from .states import CONNECTIVITY, wait_for_state

HEADERS = {"CF-Access-Client-Secret": "s3cr3t-of-the-service"}


@pytest.mark.parametrize(
    ("refusal", "error", "key", "words"),
    [
        (
            Refusal.PROXY,
            ProxyRefusedError,
            "proxy_not_trusted",
            ("`gateway.trustedProxies`", "not its whole network", "PROXY_ATTRIBUTION"),
        ),
        (
            Refusal.SIGN_IN,
            SignInRequiredError,
            "sign_in_required",
            ("Additional headers", "no redirect is followed", "HTTP_302"),
        ),
    ],
)
async def test_what_stands_in_front_has_a_repair_that_goes_with_its_cause(  # noqa: PLR0913, PLR0917 - the row of the table
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
    refusal: Refusal,
    error: type[GatewayError],
    key: str,
    words: tuple[str, ...],
) -> None:
    gateway.refuse(refusal)
    with pytest.raises(error):
        await reconnect(hass, entry, gateway)

    [(found, issue)] = open_issues(hass).items()
    assert found == key
    text = await texts_of(hass, issue)
    assert [word for word in words if word not in text] == []
    last = client_of(entry).introspection.transitions[-1]
    assert (last.state, last.pause, last.delay) == ("paused", "proxy", 300)
    assert "access.example" not in str(issue)

    step = await repair.open(entry, key)
    step = await repair.submit()
    assert step["errors"] == {"base": "not_fixed"}
    gateway.refuse(None)
    await hass.config_entries.async_reload(entry.entry_id)
    assert open_issues(hass) == {}
    step = await repair.submit()
    assert step["type"] == FlowResultType.CREATE_ENTRY


async def test_a_repair_of_a_running_entry_goes_by_itself(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.refuse(Refusal.PROXY)
    with pytest.raises(ProxyRefusedError):
        await reconnect(hass, entry, gateway)
    gateway.refuse(Refusal.SIGN_IN)
    attempts = gateway.attempts
    client_of(entry).resume()
    await gateway.wait_until(lambda: gateway.attempts > attempts)
    with pytest.raises(SignInRequiredError):
        await client_of(entry).wait_connected()
    assert set(open_issues(hass)) == {"sign_in_required"}

    gateway.refuse(None)
    client_of(entry).resume()
    await wait_for_state(hass, CONNECTIVITY, "on")

    assert open_issues(hass) == {}


async def test_a_redirect_is_never_followed(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    async with GatewaySimulator() as elsewhere:
        gateway.refuse(Refusal.SIGN_IN)
        gateway.sign_in_page = (
            elsewhere.url.replace("127.0.0.1", "localhost") + "/login"
        )
        await hass.config_entries.async_setup(new_entry.entry_id)

        assert new_entry.state is ConfigEntryState.SETUP_RETRY
        assert new_entry.error_reason_translation_key == "sign_in_required"
        assert elsewhere.attempts == 0


@pytest.fixture
async def pinned(
    hass: HomeAssistant, new_entry: MockConfigEntry, tmp_path: Path
) -> AsyncGenerator[GatewaySimulator]:
    """Run a Gateway with TLS, whose certificate is pinned by the entry."""
    ignore_failed_handshakes(hass.loop)
    path = certificate(tmp_path)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        data = {
            **new_entry.data,
            "port": gateway.port,
            CONF_SSL: True,
            CONF_FINGERPRINT: fingerprint(path),
        }
        hass.config_entries.async_update_entry(
            new_entry, data=data, options={CONF_HEADERS: HEADERS}
        )
        assert await hass.config_entries.async_setup(new_entry.entry_id)
        await hass.async_block_till_done()
        yield gateway
        await hass.config_entries.async_unload(new_entry.entry_id)


async def _renew(gateway: GatewaySimulator, folder: Path) -> str:
    """Give a Gateway another certificate; return its fingerprint."""
    path = certificate(folder)
    await gateway.suspend()
    gateway.ssl = server_context(path)
    await gateway.resume()
    return fingerprint(path)


async def _open_repair(
    hass: HomeAssistant, entry: MockConfigEntry, repair: Repair
) -> None:
    """Wait until the certificate is refused, and open its repair."""
    await wait_for_state(hass, CONNECTIVITY, "off")
    with pytest.raises(CertificateError):
        await client_of(entry).wait_connected()
    await repair.open(entry, "certificate_changed")


async def test_a_renewed_certificate_is_confirmed_in_its_repair(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    pinned: GatewaySimulator,
    repair: Repair,
    tmp_path: Path,
) -> None:
    old = new_entry.data[CONF_FINGERPRINT]
    token = new_entry.runtime_data.credentials.device_token
    new = await _renew(pinned, tmp_path)
    await wait_for_state(hass, CONNECTIVITY, "off")
    sent = len(pinned.upgrades)
    with pytest.raises(CertificateError):
        await client_of(new_entry).wait_connected()

    [(key, issue)] = open_issues(hass).items()
    assert key == "certificate_changed"
    text = await texts_of(hass, issue)
    assert formatted_fingerprint(old) in text
    assert formatted_fingerprint(new) in text
    assert len(pinned.upgrades) == sent
    report = await run_self_test(hass, checks=["transport_trust"])
    assert statuses(report) == {"transport_trust": "fail"}
    assert report["suspects"][0].startswith("The Gateway's address shows another")

    step = await repair.open(new_entry, key)
    assert step["description_placeholders"]["fingerprint"] == formatted_fingerprint(new)
    step = await repair.submit()

    assert step["type"] == FlowResultType.CREATE_ENTRY
    assert new_entry.state is ConfigEntryState.LOADED
    assert new_entry.data[CONF_FINGERPRINT] == new
    assert open_issues(hass) == {}
    assert token
    assert new_entry.runtime_data.credentials.device_token == token
    report = await run_self_test(hass, checks=["transport_trust"])
    assert statuses(report) == {"transport_trust": "pass"}


async def test_a_device_token_alone_still_lets_in_after_the_renewal(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    pinned: GatewaySimulator,
    repair: Repair,
    tmp_path: Path,
) -> None:
    data = {key: v for key, v in new_entry.data.items() if key != CONF_TOKEN}
    hass.config_entries.async_update_entry(new_entry, data=data)
    await hass.async_block_till_done()
    await _renew(pinned, tmp_path)
    await _open_repair(hass, new_entry, repair)

    step = await repair.submit()

    assert step["type"] == FlowResultType.CREATE_ENTRY
    assert new_entry.state is ConfigEntryState.LOADED


async def test_a_certificate_is_confirmed_where_there_is_no_device_token(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    pinned: GatewaySimulator,
    repair: Repair,
    tmp_path: Path,
) -> None:
    pinned.edit("hello-ok", lambda hello: hello["auth"].pop("deviceToken"))
    await DeviceTokenStore(
        hass, new_entry.entry_id, client_of(new_entry).endpoint.origin
    ).async_save(None)
    await _renew(pinned, tmp_path)
    await _open_repair(hass, new_entry, repair)

    step = await repair.submit()

    assert step["type"] == FlowResultType.CREATE_ENTRY
    assert new_entry.state is ConfigEntryState.LOADED


async def test_only_the_certificate_that_was_shown_is_confirmed(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    pinned: GatewaySimulator,
    repair: Repair,
    tmp_path: Path,
) -> None:
    shown = await _renew(pinned, tmp_path)
    await _open_repair(hass, new_entry, repair)
    third = await _renew(pinned, tmp_path)

    step = await repair.submit()

    assert step["errors"] == {"base": "not_fixed"}
    assert new_entry.data[CONF_FINGERPRINT] == shown
    places = step["description_placeholders"]
    assert places["confirmed"] == formatted_fingerprint(shown)
    assert places["fingerprint"] == formatted_fingerprint(third)
    step = await repair.submit()
    assert step["type"] == FlowResultType.CREATE_ENTRY
    assert new_entry.data[CONF_FINGERPRINT] == third


async def test_the_old_certificate_that_comes_back_needs_no_confirmation(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    pinned: GatewaySimulator,
    tmp_path: Path,
    repair: Repair,
) -> None:
    old, before = pinned.ssl, dict(new_entry.data)
    await _renew(pinned, tmp_path)
    await _open_repair(hass, new_entry, repair)
    await pinned.suspend()
    pinned.ssl = old
    await pinned.resume()
    client_of(new_entry).resume()
    await wait_for_state(hass, CONNECTIVITY, "on")

    assert open_issues(hass) == {}
    assert new_entry.data == before


@pytest.fixture
def disk(hass: HomeAssistant) -> Any:  # noqa: ANN401 - a generator
    """Return a function to restore the disk."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
    assert hass


def _break(disk: pytest.MonkeyPatch) -> None:
    async def fail_to_write(*_: object) -> None:
        raise WriteError

    async def fail_to_delete(*_: object) -> None:
        raise OSError(errno.EROFS, "injected")

    disk.setattr(Store, "_async_write_data", fail_to_write)
    disk.setattr(Store, "async_remove", fail_to_delete)


async def test_a_store_that_cannot_be_written_has_a_repair(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    disk: pytest.MonkeyPatch,
    repair: Repair,
) -> None:
    _break(disk)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()

    [(key, issue)] = open_issues(hass).items()
    assert key == "store_not_written"
    text = await texts_of(hass, issue)
    assert "clawd.identity" in text
    assert "clawd.device_token" in text
    assert new_entry.entry_id not in text
    assert gateway.open_connections

    await repair.open(new_entry, key)
    step = await repair.submit()
    assert step["errors"] == {"base": "not_fixed"}
    disk.undo()
    step = await repair.submit()
    assert step["type"] == FlowResultType.CREATE_ENTRY
    assert open_issues(hass) == {}


async def test_the_repair_of_a_store_goes_by_itself(
    hass: HomeAssistant, entry: MockConfigEntry, disk: pytest.MonkeyPatch
) -> None:
    _break(disk)
    await run_self_test(hass, checks=["registry"])
    assert set(open_issues(hass)) == {"store_not_written"}
    disk.undo()

    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=6))
    await hass.async_block_till_done()

    assert open_issues(hass) == {}
    assert entry.state is ConfigEntryState.LOADED


async def test_the_store_of_another_entry_is_not_its_concern(
    hass: HomeAssistant, entry: MockConfigEntry, disk: pytest.MonkeyPatch
) -> None:
    _break(disk)
    await async_save_store(
        hass, EntryStore.REPORTS, "another", {"reports": []}, lambda _: None
    )

    assert unwritten_stores(hass) == ("clawd.self_tests",)
    assert open_issues(hass) == {}
    assert entry.state is ConfigEntryState.LOADED


async def test_a_repair_that_is_opened_too_late_has_nothing_to_confirm(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    data = {"entry_id": entry.entry_id, "issue": "certificate_changed"}
    flow = await async_create_fix_flow(hass, "gone", data)
    flow.hass, flow.issue_id = hass, "gone"
    before = dict(entry.data)

    await flow.async_step_init()  # type: ignore[attr-defined]
    result = await flow.async_step_confirm()  # type: ignore[attr-defined]

    assert result["type"] == FlowResultType.CREATE_ENTRY
    assert entry.data == before
