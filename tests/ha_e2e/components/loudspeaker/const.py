"""Constants of the loudspeakers."""

from typing import Final

DOMAIN: Final = "loudspeaker"
# PCM, mono; as of Home Assistant's own pipelines.
SAMPLE_RATE: Final = 16_000
SAMPLE_WIDTH: Final = 2
# People speak about 15 characters a second; here a test waits for each of them.
SECONDS_PER_CHARACTER: Final = 0.02
