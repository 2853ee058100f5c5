"""Simulator compared with excerpts of recordings."""

from dataclasses import dataclass, field
import re
from typing import Any

import pytest

from tests.simulator import GatewaySimulator, Reply
from tests.simulator.raw_client import RawClient, raw_client
from tests.simulator.recordings import V3, V4, WIRE, Frame, recording
from tests.simulator.replay import shape

# Long texts of an excerpt are cut: "iVBORw0KGgo…<4232 characters in all>".
CUT = re.compile(r"…<(\d+) characters in all>$")
PICTURE = b"\x89PNG\r\n"

# Requests that are not simulated, or whose answer depends on the machine.
SKIPPED = {
    "agents.workspace.get",
    "channels.status",
    "chat.history",
    "cron.add",
    "cron.get",
    "cron.list",
    "cron.run",
    "cron.runs",
    "cron.status",
    "last-heartbeat",
    "poll",
    "sessions.reset",
    "set-heartbeats",
    "system-event",
}
# Values that name what the recorded Gateway, and not this one, has made.
IDS = ("taskId", "artifactId", "expectedSessionId")


@dataclass
class Excerpt:
    """Requests of a client, and the responses to each."""

    requests: list[Frame] = field(default_factory=list)
    responses: dict[str, list[Frame]] = field(default_factory=dict)

    @classmethod
    def load(cls, protocol: int, name: str) -> Excerpt:
        """Read the frames of an excerpt."""
        excerpt = cls()
        for line in recording(protocol, f"excerpts/{name}"):
            frame: Any = line.get("frame")
            match frame:
                case {"type": "req", "method": method} if method not in SKIPPED:
                    excerpt.requests.append(frame)
                case {"type": "res", "id": id_}:
                    excerpt.responses.setdefault(id_, []).append(frame)
        return excerpt


def uncut(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a value with texts of their recorded length."""
    match value:
        case str() if found := CUT.search(value):
            length = int(found[1]) // 4 * 4
            return "A" * length
        case dict():
            return {key: uncut(item) for key, item in value.items()}
        case list():
            return [uncut(item) for item in value]
    return value


async def resolve(client: RawClient, params: Frame) -> Frame:
    """Replace the ids of the recorded Gateway by those of this one."""
    params = dict(params)
    if "expectedSessionId" in params:
        answer = await client.request("sessions.describe", {"key": params["key"]})
        params["expectedSessionId"] = answer["payload"]["session"]["sessionId"]
    if "taskId" in params:
        [task_id] = {
            frame["payload"]["task"]["taskId"]
            for frame in client.frames
            if frame.get("event") == "task"
            and frame["payload"]["task"]["kind"] != "cli"
        }
        params["taskId"] = task_id
    if "artifactId" in params:
        key = {"sessionKey": params["sessionKey"]}
        answer = await client.request("artifacts.list", key)
        params["artifactId"] = answer["payload"]["artifacts"][0]["id"]
    return params


def refusal(frame: Frame) -> tuple[object, ...]:
    """Return the relevant parts of a refusal."""
    error = frame.get("error", {})
    return frame["ok"], error.get("code"), error.get("details", {}).get("code")


def is_part_of(found: object, known: object) -> bool:
    """Return whether a shape has no key that another lacks, and the same types."""
    if not (isinstance(found, frozenset) and isinstance(known, frozenset)):
        return found == known or "NoneType" in (found, known)
    recorded = dict(known)
    return all(
        key in recorded and is_part_of(item, recorded[key]) for key, item in found
    )


CASES = [
    (V3, "attachments_agent"),
    *(
        (V4, name)
        for name in (
            "attachments_agent",
            "attachments_chat_send",
            "cron_wake",
            "image_generate",
            "media_reply",
            "model_run",
            "send_poll",
            "session_archive_delete",
        )
    ),
]


@pytest.mark.parametrize(("protocol", "name"), CASES)
async def test_an_excerpt_is_answered_as_recorded(protocol: int, name: str) -> None:
    excerpt = Excerpt.load(protocol, name)
    async with (
        GatewaySimulator(protocol=protocol) as gateway,
        raw_client(gateway.url) as client,
    ):
        gateway.script(Reply("saw it"))
        gateway.images.image = PICTURE
        await client.handshake()
        for request in excerpt.requests:
            recorded = excerpt.responses.get(request["id"], [])
            if not recorded or "url" in str(request["params"].get("attachments")):
                continue
            method, params = request["method"], uncut(request["params"])
            if params.get("model") == "mock/texty":
                params["model"] = "mock/thinker"
            if params.get("mediaUrl"):
                continue
            id_ = await client.send(method, await resolve(client, params))
            for expected in recorded:
                answer = await client.response(id_)
                assert refusal(answer) == refusal(expected), (method, answer)
                if expected["ok"] and method != "sessions.patch":
                    found, known = (shape(f["payload"]) for f in (answer, expected))
                    # A run's final response is compared by its own recordings.
                    if "result" not in expected["payload"]:
                        assert is_part_of(found, known), (method, found, known)
            if method == "chat.send" and expected["ok"]:
                end = await client.receive_until(
                    lambda frame: (
                        frame.get("event") == "chat"
                        and frame["payload"]["state"] == "final"
                    )
                )
                assert end["payload"]["runId"] == params["idempotencyKey"]
            if method == "tools.invoke":
                await client.receive_until(
                    lambda frame: (
                        frame.get("event") == "task"
                        and frame["payload"]["task"]["status"] == "completed"
                    )
                )


def test_each_excerpt_is_played() -> None:
    found = {(int(p.parts[-3][1:]), p.stem) for p in WIRE.glob("*/excerpts/*.jsonl")}
    assert found == set(CASES)


async def test_a_run_of_the_model_alone_has_no_events_and_no_session() -> None:
    async with (
        GatewaySimulator(protocol=V4) as gateway,
        raw_client(gateway.url) as client,
    ):
        await client.handshake()
        key = "agent:main:ha-task"
        first, last = await client.run("say: {}", sessionKey=key, modelRun=True)
        assert first["payload"]["status"] == "accepted"
        assert last["payload"]["result"]["payloads"][0]["text"] == "{}"
        assert (
            client.agent_events("lifecycle") == client.agent_events("assistant") == []
        )
        answer = await client.request("sessions.describe", {"key": key})
        assert answer["payload"] == {"session": None}
