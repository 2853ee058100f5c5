"""Home counters in the diagnostics."""

import json

import pytest

from tests.ha.downloads import Download

from .harness import SESSION, Home


@pytest.mark.usefixtures("house")
async def test_the_diagnostics_count_the_home(home: Home, download: Download) -> None:
    await home.service.async_update_tools()
    await home.data("HassTurnOn", name="Kitchen light")
    with home.run():
        assert "CONFIRMATION_REQUIRED" in await home.refused(
            "HassTurnOff", name="Front door"
        )

    text = await download()

    counts = json.loads(text)["data"]["home"]
    assert counts["agents"] == {"control": 1}
    assert counts["exposed"]["lock"] == 1
    assert counts["rebuilds"] >= 1
    assert counts["rebuild_ms"] > 0
    assert counts["control_calls_of_last_minute"] == 2
    assert counts["outcomes"] == {"done": 1, "confirmation_required": 1}
    assert counts["questions"] == 1
    for secret in ("front_door", "Front door", "Kitchen light", SESSION):
        assert secret not in json.dumps(counts)
