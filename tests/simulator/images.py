"""Image generation (OpenClaw 2026.9.6)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
import uuid

from .recordings import Frame
from .request_errors import invalid_request
from .request_log import Request
from .runs import Session
from .script import Reply

if TYPE_CHECKING:
    from .connection import ClientConnection
    from .server import GatewaySimulator

TOOL = "image_generate"
PATH = "/api/chat/media/outgoing/"
STEPS = ("Queued image generation", "Generating image", "Saving generated image")


@dataclass
class ImageTool:
    """Image tool of the Gateway.

    ``image``: what it makes, None where it is not configured; ``status``: how its
    tasks end, ``running`` for never; ``ticket``: what a download takes;
    ``truncated``: a download ends too early; ``cancellable``: its tasks stand for
    others, as OpenClaw cannot cancel those of images.
    """

    image: bytes | None = None
    mime_type: str = "image/png"
    status: str = "completed"
    ticket: str = "TICKET"
    truncated: bool = False
    cancellable: bool = True
    tasks: dict[str, Frame] = field(default_factory=dict)
    artifacts: dict[str, list[Frame]] = field(default_factory=dict)


def make_image(gateway: GatewaySimulator, params: Frame) -> Frame:
    """Start a task of the image tool, or list its providers; return its output."""
    if params["args"].get("action") == "list":
        return {"content": [{"type": "text", "text": "openai/gpt-image-2"}]}
    key = params["sessionKey"].lower()
    gateway.runs.sessions.setdefault(key, Session(key))
    task_id = str(uuid.uuid4())
    run_id = f"tool:{TOOL}:{uuid.uuid4()}"
    task = gateway.images.tasks[task_id] = _task(gateway, task_id, run_id, key)
    for step in STEPS:
        _emit(gateway, task, progressSummary=step)
    ids = {"taskId": task_id, "runId": run_id}
    details = {"async": True, "status": "started", **ids, "task": ids}
    text = f"Background task started for image generation ({task_id})."
    gateway.spawn(finish_image(gateway, task, params["args"]["prompt"]))
    return {"content": [{"type": "text", "text": text}], "details": details}


async def get_task(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Return a task."""
    return {"task": _known(gateway, request)}


async def list_tasks(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Return the tasks of some status."""
    status = request.params.get("status")
    wanted = status if isinstance(status, list) else [status]
    tasks = gateway.images.tasks.values()
    return {"tasks": [task for task in tasks if task["status"] in wanted]}


async def cancel_task(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Cancel a task."""
    task = _known(gateway, request)
    if not gateway.images.cancellable:
        reason = "Task has no live run owner."
        return {"found": True, "cancelled": False, "reason": reason, "task": task}
    _emit(gateway, task, status="cancelled", execution={"state": "finished"})
    return {"found": True, "cancelled": True, "task": task}


async def list_artifacts(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Return the artifacts of a session."""
    key = request.params.get("sessionKey", "").lower()
    return {"artifacts": gateway.images.artifacts.get(key, [])}


async def download_artifact(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Return the URL of an artifact."""
    params = request.params
    found = [
        entry
        for entry in gateway.images.artifacts.get(params["sessionKey"].lower(), [])
        if entry["id"] == params["artifactId"]
    ]
    if not found:
        raise invalid_request("artifact not found")
    artifact = {k: v for k, v in found[0].items() if k not in ("runId", "messageSeq")}
    path = f"{PATH}{params['artifactId']}/full?mediaTicket=TICKET"
    expires = "2026-11-28T21:41:06.773Z"
    return {"artifact": artifact, "url": path, "expiresAt": expires}


def _known(gateway: GatewaySimulator, request: Request) -> Frame:
    if task := gateway.images.tasks.get(request.params["taskId"]):
        return task
    raise invalid_request("task not found")


def _task(gateway: GatewaySimulator, task_id: str, run_id: str, key: str) -> Frame:
    now = gateway.now_ms()
    return {
        "id": task_id,
        "taskId": task_id,
        "kind": "image_generation",
        "runtime": "cli",
        "status": "running",
        "execution": {"state": "unknown"},
        "title": "Image generation",
        "agentId": key.split(":")[1],
        "sessionKey": key,
        "childSessionKey": key,
        "hasTranscript": True,
        "ownerKey": key,
        "runId": run_id,
        "sourceId": "image_generate:openai",
        "createdAt": now,
        "updatedAt": now,
        "startedAt": now,
        "deliveryStatus": "not_applicable",
    }


def _emit(gateway: GatewaySimulator, task: Frame, **changes: object) -> None:
    task |= {"updatedAt": gateway.now_ms(), **changes}
    gateway.broadcast("task", {"action": "upserted", "task": dict(task)})


async def finish_image(gateway: GatewaySimulator, task: Frame, prompt: str) -> None:
    """End a task; its picture is in the session by then."""
    tool, key = gateway.images, task["sessionKey"]
    task["prompt"] = prompt
    if tool.status == "running":
        return
    end: Frame = {"status": tool.status, "execution": {"state": "finished"}}
    end["endedAt"] = gateway.now_ms()
    if tool.status != "completed":
        error = "the provider refused"
        _emit(gateway, task, **end, terminalSummary=error, error=error)
        return
    run_id = f"{TOOL}:{task['taskId']}:ok:agent-loop"
    run = gateway.run("made", Reply("Here it is."), session_key=key, run_id=run_id)
    await run.done.wait()
    tool.artifacts.setdefault(key, []).append(
        {
            "id": f"artifact_managed_image_{uuid.uuid4()}",
            "type": "image",
            "title": "image-1.png",
            "mimeType": tool.mime_type,
            "sizeBytes": len(tool.image or b""),
            "sessionKey": key,
            "runId": run_id,
            "messageSeq": 2,
            "source": "session-transcript",
            "download": {"mode": "url"},
        }
    )
    made = "Generated 1 image with openai/gpt-image-2."
    _emit(gateway, task, **end, terminalSummary=made, progressSummary="Generated")
