"""What a run comes to on OpenClaw 2026.9.6."""

from .recordings import V4, Frame, payload
from .run_events import Narration
from .script import Tool

PROVIDER = {"provider": "mock", "model": "mock"}


def told(narration: Narration) -> Frame:
    """Return receipt and reply, as lifecycle and agent.wait give them."""
    receipt = {
        "runId": narration.run_id,
        "sessionId": narration.session_id,
        "turnId": narration.run_id,
        "requested": PROVIDER,
        "effective": {**PROVIDER, "responseModel": "mock"},
        "successfulToolNames": narration.tools,
        "rerouted": False,
        "terminalDisposition": "visible",
    }
    reply = {"disposition": "visible", "text": narration.text}
    return {"terminalReceipt": receipt, "terminalReply": reply}


def completed(narration: Narration) -> Frame:
    """Return the final payload, with the last segment only."""
    final = payload(V4, "agent_run", "agent")
    receipt = told(narration)["terminalReceipt"]
    del receipt["terminalDisposition"]
    meta = final["result"]["meta"]
    meta["durationMs"] = narration.gateway.now_ms() - narration.started_at
    meta["finalPromptText"] = narration.message
    meta["finalAssistantVisibleText"] = narration.text
    meta["finalAssistantRawText"] = narration.text
    meta["agentMeta"] |= {
        "sessionId": narration.session_id,
        "sessionFile": narration.session_key,
        "terminalReceipt": receipt,
    }
    if narration.tools:
        calls = len(narration.tools)
        meta["toolSummary"] = {
            "calls": calls,
            "tools": sorted(set(narration.tools)),
            "failures": 0,
        }
    texts = [narration.text] if narration.text else []
    final["runId"] = narration.run_id
    final["result"]["payloads"] = [{"text": text, "mediaUrl": None} for text in texts]
    return final


def tool_result(step: Tool, meta: str) -> Frame:
    """Return the data of a tool's result."""
    content = [{"type": "text", "text": step.result}]
    return {
        "phase": "result",
        "meta": meta,
        "isError": step.is_error,
        "commandBearing": False,
        "result": {"content": content, "details": {"content": step.result}},
    }
