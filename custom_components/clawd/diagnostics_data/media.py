"""Pictures, files and speech."""

from typing import TYPE_CHECKING

from ..assist.media_cache import MEDIA_CACHE
from .source import DiagnosticsSource, of_runtime
from .values import shorten

if TYPE_CHECKING:
    from ..coordinator import ClawdRuntime


def media_section(source: DiagnosticsSource) -> object:
    """Return the counters of media."""
    if (cache := source.hass.data.get(MEDIA_CACHE)) is None:
        return None
    entry_id = source.entry.entry_id
    kept = cache.of_entry(entry_id)
    return {
        "files": len(kept),
        "bytes": sum(media.size for media in kept),
        "bytes_of_all_entries": cache.size,
        "outcomes": dict(cache.outcomes.get(entry_id, {})),
    }


@of_runtime
def speech_section(_source: DiagnosticsSource, runtime: ClawdRuntime) -> object:
    """Return the counters of speech."""
    speech = runtime.speech
    statistics = speech.statistics
    return {
        "configured": speech.data.configured,
        "loaded": runtime.voice_loaded,
        "spoken": statistics.spoken,
        "failed": {shorten(code): n for code, n in statistics.failed.items()},
        "formats": dict(statistics.formats),
        "slowest": round(statistics.slowest, 3),
    }
