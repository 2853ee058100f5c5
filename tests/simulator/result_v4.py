"""Results of a run on OpenClaw 2026.9.6."""

from .recordings import V4, Frame, payload
from .run_events import RunEvents
from .script import Tool

PROVIDER = {"provider": "mock", "model": "mock"}


def terminal_result(events: RunEvents) -> Frame:
    """Return receipt and reply of lifecycle events and ``agent.wait``."""
    receipt = {
        "runId": events.run_id,
        "sessionId": events.session_id,
        "turnId": events.run_id,
        "requested": PROVIDER,
        "effective": {**PROVIDER, "responseModel": "mock"},
        "successfulToolNames": events.tools,
        "rerouted": False,
        "terminalDisposition": "visible",
    }
    reply = {"disposition": "visible", "text": events.text}
    return {"terminalReceipt": receipt, "terminalReply": reply}


def final_payload(events: RunEvents) -> Frame:
    """Return the final payload, with the last segment only."""
    final = payload(V4, "agent_run", "agent")
    receipt = terminal_result(events)["terminalReceipt"]
    del receipt["terminalDisposition"]
    meta = final["result"]["meta"]
    meta["durationMs"] = events.gateway.now_ms() - events.started_at
    meta["finalPromptText"] = events.message
    meta["finalAssistantVisibleText"] = events.text
    meta["finalAssistantRawText"] = events.text
    meta["agentMeta"] |= {
        "sessionId": events.session_id,
        "sessionFile": events.session_key,
        "terminalReceipt": receipt,
    }
    if events.tools:
        calls = len(events.tools)
        meta["toolSummary"] = {
            "calls": calls,
            "tools": sorted(set(events.tools)),
            "failures": 0,
        }
    texts = [events.text] if events.text else []
    final["runId"] = events.run_id
    final["result"]["payloads"] = [{"text": text, "mediaUrl": None} for text in texts]
    return final


def tool_result(step: Tool, meta: str) -> Frame:
    """Return the data of a tool result event."""
    content = [{"type": "text", "text": step.result}]
    return {
        "phase": "result",
        "meta": meta,
        "isError": step.is_error,
        "commandBearing": False,
        "result": {"content": content, "details": {"content": step.result}},
    }
