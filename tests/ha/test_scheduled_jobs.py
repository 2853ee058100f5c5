"""Results of scheduled jobs, told once each."""

import pytest

from custom_components.clawd.assist import unsolicited

from .test_unsolicited import Home, agent_settings, home, silent, voice_setup

__all__ = ["agent_settings", "home", "silent", "voice_setup"]

# None: the event lacks the field.
WITHOUT_IDS: tuple[dict[str, object], ...] = (
    {"runAtMs": None},
    {"runAtMs": True},
    {"runAtMs": 0},
    {"runAtMs": {}},
    {"runAtMs": [1]},
    {"runAtMs": ""},
    {"runAtMs": "1" * 4000},
    {"runAtMs": None, "runId": 7.5e-3},
    {"runAtMs": None, "jobId": None},
    {"runAtMs": None, "jobId": 7},
)
WITH_IDS: tuple[dict[str, object], ...] = (
    {"runAtMs": 1},
    {"runAtMs": 1.0},
    {"runAtMs": "2026-11-29T07:00:00Z"},
    {"runAtMs": None, "runId": "manual:j:1"},
    {"runAtMs": [], "runId": "manual:j:1"},
    {"jobId": None},
)


@pytest.mark.parametrize("fields", [*WITHOUT_IDS, *WITH_IDS])
async def test_a_repeated_event_is_told_once(
    home: Home, fields: dict[str, object]
) -> None:
    key = await home.ask()

    for _ in range(2):
        await home.run_job(key, **fields)

    assert home.delivered == (["Good morning."], [])
    assert all(len(run_id) < 256 for run_id in home.listeners.delivered)


@pytest.mark.parametrize("fields", WITHOUT_IDS)
async def test_the_next_run_without_an_id_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch, fields: dict[str, object]
) -> None:
    key = await home.ask()
    monkeypatch.setattr(unsolicited, "MAX_TOLD_AGE", -1.0)

    for _ in range(3):
        await home.run_job(key, **fields)

    assert home.delivered == (["Good morning."] * 3, [])


async def test_jobs_at_the_same_time_are_told(home: Home) -> None:
    key = await home.ask()

    for job in ("a", "b"):
        await home.run_job(key, jobId=job, runAtMs=None)
    await home.run_job(key, jobId="a", runAtMs=None, summary="Good night.")

    assert home.delivered == (["Good morning.", "Good morning.", "Good night."], [])


@pytest.mark.parametrize(
    ("first", "second"),
    [({"runAtMs": 1}, {"runAtMs": 2}), ({"runId": "a"}, {"runId": "b"})],
)
async def test_the_next_run_with_an_id_is_told_at_once(
    home: Home, first: dict[str, object], second: dict[str, object]
) -> None:
    key = await home.ask()

    for fields in (first, second):
        await home.run_job(key, **{"runAtMs": None, **fields})

    assert home.delivered == (["Good morning."] * 2, [])
