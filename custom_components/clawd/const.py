"""Constants of the OpenClaw Gateway integration."""

import logging
from typing import Final

DOMAIN: Final = "clawd"
LOGGER: Final = logging.getLogger(__package__)

VERSION: Final = "0.1.0"
CONF_ALLOW_INSECURE: Final = "allow_insecure"
CONF_CA_CERTIFICATE: Final = "ca_certificate"
CONF_FINGERPRINT: Final = "fingerprint"
CONF_SELF_TEST_SCHEDULE: Final = "self_test_schedule"
DEFAULT_PORT: Final = 18789
PAIRING_TASK: Final = f"{DOMAIN} pairing"
