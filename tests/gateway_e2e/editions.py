"""Published Gateways: installation and configuration."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .install import CACHE

type Config = dict[str, Any]

MODEL: Final = {
    "id": "scripted",
    "name": "Scripted",
    "reasoning": False,
    "input": ["text"],
    "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
    "contextWindow": 200_000,
    "maxTokens": 8192,
}
THINKER: Final = MODEL | {"id": "thinker", "name": "Thinker", "reasoning": True}
SIGHTED: Final = MODEL | {
    "id": "sighted",
    "name": "Sighted",
    "input": ["text", "image"],
}
AGENTS: Final = (
    {"id": "main", "default": True},
    {"id": "kitchen", "name": "Chef", "model": "mock/thinker"},
)
# Section of the configuration by which the agents see pictures.
SEEING_AGENTS: Final[Config] = {
    "agents": {
        "defaults": {"model": {"primary": "mock/sighted"}},
        "list": list(AGENTS),
    }
}


@dataclass(frozen=True, kw_only=True)
class Edition:
    """Published Gateway of one protocol version."""

    folder: Path
    program: str
    prefix: str
    environment: dict[str, str]
    models: Config = field(default_factory=dict)
    settings: Config = field(default_factory=dict)

    def build_config(self, folder: Path, port: int, auth: Config, model: str) -> Config:
        """Return the configuration of a Gateway in a folder."""
        provider = {
            "baseUrl": model,
            "apiKey": "unused",
            "api": "openai-completions",
            "models": [MODEL, THINKER, SIGHTED],
        }
        return self.settings | {
            "gateway": {
                "mode": "local",
                "port": port,
                "bind": "loopback",
                "auth": auth,
            },
            "agents": {
                "defaults": {
                    "model": {"primary": "mock/scripted"},
                    "workspace": str(folder / "workspace"),
                },
                "list": [self._place(agent, folder) for agent in AGENTS],
            },
            "models": self.models | {"mode": "merge", "providers": {"mock": provider}},
            "commands": {"restart": True},
            "logging": {"file": str(folder / "gateway.log")},
            "update": {"checkOnStart": False},
        }

    @staticmethod
    def _place(agent: Config, folder: Path) -> Config:
        """Return an agent; the default one with its workspace.

        With models of images, OpenClaw moves it into a folder of its own otherwise.
        """
        if not agent.get("default"):
            return agent
        return {**agent, "workspace": str(folder / "workspace")}

    def build_environment(self, folder: Path) -> dict[str, str]:
        """Return environment variables that confine a Gateway to a folder."""
        return self.environment | {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "TMPDIR": str(self.folder / "tmp"),
            f"{self.prefix}_STATE_DIR": str(folder / "state"),
            f"{self.prefix}_CONFIG_PATH": str(folder / "config.json"),
            f"{self.prefix}_NO_RESPAWN": "1",
        }


EDITIONS: Final = {
    3: Edition(
        folder=CACHE / "v3",
        program="node_modules/clawdbot/dist/entry.js",
        prefix="CLAWDBOT",
        environment={
            "CLAWDBOT_DISABLE_BONJOUR": "1",
            "CLAWDBOT_SKIP_BROWSER_CONTROL_SERVER": "1",
            "CLAWDBOT_SKIP_CANVAS_HOST": "1",
        },
    ),
    4: Edition(
        folder=CACHE / "v4",
        program="node_modules/openclaw/openclaw.mjs",
        prefix="OPENCLAW",
        environment={
            "OPENCLAW_NO_AUTO_UPDATE": "1",
            # Megabytes: a start collects less garbage, and takes less of the processor.
            "NODE_OPTIONS": "--max-semi-space-size=64",
        },
        models={"catalogRefresh": {"enabled": False}},
        settings={
            "discovery": {"mdns": {"mode": "off"}},
            # As the self-test advises; by default, an agent reaches every session.
            "tools": {"sessions": {"visibility": "tree"}},
            # No test searches it; its index takes a third of the first run.
            "plugins": {"slots": {"memory": "none"}},
            # Nothing is old; its search takes half of the processor of each run.
            "session": {"maintenance": {"mode": "warn"}},
        },
    ),
}


def add_images(config: Config, model: str) -> None:
    """Add a provider of images to the configuration of a Gateway (v4)."""
    config["models"]["providers"]["openai"] = {
        "baseUrl": model,
        "apiKey": "unused",
        "models": [],
    }
    image = {"primary": "openai/gpt-image-2"}
    agents = config["agents"]
    defaults = {**agents["defaults"], "mediaModels": {"image": image}}
    config["agents"] = {**agents, "defaults": defaults}
    # The model listens on loopback.
    policy = {"dangerouslyAllowPrivateNetwork": True}
    config["browser"] = {"ssrfPolicy": policy}
