"""Constants of the OpenClaw Gateway integration."""

import logging
from typing import Final

DOMAIN: Final = "clawd"
LOGGER: Final = logging.getLogger(__package__)

VERSION: Final = "0.1.0"
CONF_AGENT: Final = "agent"
CONF_AGENT_TOOLS: Final = "agent_tools"
CONF_ASK_QUESTIONS: Final = "ask_questions"
CONF_ALLOW_INSECURE: Final = "allow_insecure"
CONF_CA_CERTIFICATE: Final = "ca_certificate"
CONF_CREATE_ASSISTANT: Final = "create_assistant"
CONF_DEADLINE: Final = "deadline"
CONF_FAST_VOICE: Final = "fast_voice"
CONF_FINGERPRINT: Final = "fingerprint"
CONF_HANDOFF_AFTER: Final = "handoff_after"
CONF_HANDOFF_SENTENCE: Final = "handoff_sentence"
CONF_HEADERS: Final = "headers"
CONF_FROM_ELSEWHERE: Final = "from_elsewhere"
CONF_HOME_ACCESS: Final = "home_access"
CONF_IDLE_TIMEOUT: Final = "idle_timeout"
CONF_INSTRUCTIONS: Final = "instructions"
CONF_KEEP_RUN: Final = "keep_run"
CONF_PERMISSIONS: Final = "permissions"
CONF_QUIET_END: Final = "quiet_end"
CONF_QUIET_START: Final = "quiet_start"
CONF_SELF_TEST_SCHEDULE: Final = "self_test_schedule"
CONF_SENSITIVE: Final = "sensitive"
CONF_SENSITIVE_LABEL: Final = "sensitive_label"
CONF_SESSION_NAME: Final = "session_name"
CONF_SESSION_SCOPE: Final = "session_scope"
CONF_SHARE_USER_NAME: Final = "share_user_name"
CONF_SPEECH_CLEANUP: Final = "speech_cleanup"
CONF_SPOKEN_PART: Final = "spoken_part"
CONF_OFFER_HOME: Final = "offer_home"
CONF_OFFER_TO_AGENTS: Final = "offer_to_agents"
CONF_THINKING: Final = "thinking"
CONF_TOOL_PROGRESS: Final = "tool_progress"
CONF_TOOL_PREFIX: Final = "tool_prefix"
CONF_TRACE_LENGTH: Final = "trace_length"
CONF_WARM_UP: Final = "warm_up"
DEFAULT_DEADLINE: Final = 600
DEFAULT_HANDOFF_AFTER: Final = 12
DEFAULT_IDLE_TIMEOUT: Final = 300
DEFAULT_KEEP_RUN: Final = 120
DEFAULT_PORT: Final = 18789
DEFAULT_TRACE_LENGTH: Final = 200
EVENT_HANDOFF: Final = f"{DOMAIN}_handoff"
EVENT_QUESTION: Final = f"{DOMAIN}_question"
EVENT_TOOL_CALL: Final = f"{DOMAIN}_tool_call"
# Begins the third part of the keys of sessions for one task.
TASK_SESSION_PREFIX: Final = "ha-task-"
# Seconds. OpenClaw refuses a signature that is more than two minutes off.
MAX_CLOCK_SKEW: Final = 120.0
# Seconds without a word after which a player's silence reads as a failure; and those
# of a run that is handed off, from the question.
MIN_HANDOFF_AFTER: Final = 5
MAX_HANDOFF_AFTER: Final = 60
MAX_HANDOFF_AGE: Final = 3600.0
MAX_KEEP_RUN: Final = 3600
MAX_TRACE_LENGTH: Final = 2000
MODELS: Final = {3: "Clawdbot Gateway", 4: "OpenClaw Gateway"}
PAIRING_TASK: Final = f"{DOMAIN} pairing"
SUBENTRY_AI_TASK: Final = "ai_task_data"
SUBENTRY_CONVERSATION: Final = "conversation"
