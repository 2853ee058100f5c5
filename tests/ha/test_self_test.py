"""Action `clawd.self_test`."""

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
import voluptuous as vol

from custom_components.clawd.const import DOMAIN, VERSION
from custom_components.clawd.gateway import RunRequest
from custom_components.clawd.reports import Mode
from custom_components.clawd.selftest.model import Component
from custom_components.clawd.selftest.registry import CHECKS
from tests.simulator import GatewaySimulator, Pause, Reply

from .self_test import problems, run_self_test, running_self_test, statuses
from .states import CONNECTIVITY, wait_for_state

ACTIVE_ONLY = {"round_trip", "timeout_probe"}
HOME = [
    check.id
    for check in CHECKS
    if check.component is Component.HOME and check.mode is not Mode.DRILL
]
# Of what is not set up by default.
OPTIONAL = ["questions", "text_to_speech", "warm_up"]
ACTIVE = [check.id for check in CHECKS if check.mode is not Mode.DRILL]


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_healthy_system_passes_every_check(
    hass: HomeAssistant, entry: MockConfigEntry, protocol: int
) -> None:
    report = await run_self_test(hass)

    expected = dict.fromkeys(ACTIVE, "pass") | dict.fromkeys(HOME, "skip")
    expected |= dict.fromkeys(OPTIONAL, "skip")
    if protocol == 3:
        missing = (
            *("permission_mode", "session_visibility", "sequence_gaps"),
            "throwaway_sessions",
        )
        expected |= dict.fromkeys(missing, "skip")
    assert statuses(report) == expected
    assert report["status"] == report["liveness"] == report["readiness"] == "pass"
    assert report["summary"]["pass"] == list(expected.values()).count("pass")
    assert report["version"] == VERSION
    assert report["entry"] == entry.entry_id
    assert report["mode"] == "active"
    assert report["gateway"]["protocol"] == protocol


async def test_every_check_says_what_it_saw(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    report = await run_self_test(hass, config_entry=entry.entry_id)

    for check in report["checks"]:
        if check["id"] in {*HOME, *OPTIONAL}:
            continue
        assert check["message"].endswith((".", ")")) or check["message"], check["id"]
        assert "{" not in check["message"]
        assert check["observed_value"] is not None
        assert check["duration_ms"] >= 0
        assert check["hint"] is None


async def test_a_passive_self_test_sends_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    before = len(gateway.requests)

    report = await run_self_test(hass, mode="passive", config_entry=entry.entry_id)

    assert len(gateway.requests) == before
    assert not ACTIVE_ONLY & set(statuses(report))
    assert report["status"] == "pass"


async def test_a_gateway_that_is_away_is_no_fault_of_ours(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    report = await run_self_test(hass, config_entry=entry.entry_id)

    assert report["readiness"] == "fail"
    assert report["liveness"] == "pass"
    assert not problems(report)
    skipped = {c["id"]: c for c in report["checks"] if c["status"] == "skip"}
    assert set(skipped) >= ACTIVE_ONLY
    assert all(check["hint"] for check in skipped.values())


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_run_under_way_is_no_fault(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Wait."), Pause())
    client = entry.runtime_data.client
    run = await client.start_run(RunRequest("Hello", "agent:main:ha-busy"))

    assert (await run_self_test(hass))["status"] == "pass"

    gateway.proceed()
    await run.result()


async def test_a_reconnected_system_passes(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")

    report = await run_self_test(hass, config_entry=entry.entry_id)

    assert report["status"] == "pass"


async def test_chosen_checks_run_alone(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    report = await run_self_test(
        hass, config_entry=entry.entry_id, checks=["protocol", "runs_map"]
    )

    assert statuses(report) == {"runs_map": "pass", "protocol": "pass"}


@pytest.mark.usefixtures("entry")
async def test_a_list_without_a_check_chooses_none_and_all_run(
    hass: HomeAssistant,
) -> None:
    report = await run_self_test(hass, mode="passive", checks=[])

    assert "runs_map" in statuses(report)


async def test_the_last_report_is_kept(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    report = await run_self_test(hass)

    assert entry.runtime_data.reports.data == report


async def _unload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("fields", "loaded", "key"),
    [
        ({"config_entry": "nobody"}, True, "service_config_entry_not_found"),
        ({"checks": ["nothing"]}, True, "unknown_check"),
        ({}, False, "no_entry_loaded"),
    ],
)
async def test_a_wrong_call_says_what_is_wrong(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    fields: dict[str, object],
    loaded: bool,  # noqa: FBT001 - a column of the table
    key: str,
) -> None:
    if not loaded:
        await _unload(hass, entry)

    with pytest.raises(ServiceValidationError) as caught:
        await run_self_test(hass, **fields)

    assert caught.value.translation_key == key


@pytest.mark.usefixtures("entry")
async def test_a_mode_that_does_not_exist_is_refused(hass: HomeAssistant) -> None:
    with pytest.raises(vol.Invalid):
        await run_self_test(hass, mode="thorough")


async def test_an_entry_that_is_not_loaded_cannot_be_tested(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await _unload(hass, entry)

    with pytest.raises(ServiceValidationError) as caught:
        await run_self_test(hass, config_entry=entry.entry_id)

    assert caught.value.translation_key == "service_config_entry_not_loaded"


async def test_an_entry_is_tested_once_at_a_time(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    async with running_self_test(hass, gateway, config_entry=entry.entry_id) as first:
        with pytest.raises(ServiceValidationError) as caught:
            await run_self_test(hass)
        assert caught.value.translation_key == "self_test_running"

    assert (await first)["status"] == "pass"


async def test_an_entry_that_is_unloaded_before_its_turn_is_left_out(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    async with GatewaySimulator() as other:
        place = {CONF_HOST: other.host, CONF_PORT: other.port}
        second = MockConfigEntry(
            domain=DOMAIN, data={**entry.data, **place}, minor_version=6
        )
        second.add_to_hass(hass)
        assert await hass.config_entries.async_setup(second.entry_id)
        async with running_self_test(hass, gateway) as test:
            await _unload(hass, second)

        assert (await test)["entry"] == entry.entry_id


async def test_only_an_administrator_may_test(
    hass: HomeAssistant, entry: MockConfigEntry, hass_read_only_user: MockUser
) -> None:
    context = Context(user_id=hass_read_only_user.id)

    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "self_test",
            {"config_entry": entry.entry_id},
            blocking=True,
            context=context,
            return_response=True,
        )


async def test_messages_are_in_the_language_of_home_assistant(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.config.language = "xx"

    report = await run_self_test(hass, config_entry=entry.entry_id, checks=["protocol"])

    assert report["checks"][0]["message"].startswith("Protocol version 4 was")


def test_each_check_has_its_own_id() -> None:
    ids = [check.id for check in CHECKS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_run_that_is_being_recovered_is_no_fault(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Wait."), Pause())
    client = entry.runtime_data.client
    run = await client.start_run(RunRequest("Hello", "agent:main:ha-home"))
    await gateway.wait_paused()
    gateway.drop()
    await gateway.wait_for_request("agent.wait")

    report = await run_self_test(hass, config_entry=entry.entry_id)

    assert not problems(report)
    await run.abort()
