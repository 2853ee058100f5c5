"""Results of a run on OpenClaw 2026.9.6."""

from .recordings import V4, Frame, payload, recording
from .run_events import RunEvents, payloads_of
from .script import CallTool, Tool

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
    final["result"]["payloads"] = payloads_of(events, texts)
    return final


def tool_result(step: Tool, meta: str) -> Frame:
    """Return the data of a tool result event."""
    content = [{"type": "text", "text": step.result}]
    return {
        "phase": "result",
        **({"meta": meta} if meta else {}),
        "isError": step.is_error,
        "commandBearing": False,
        "result": {"content": content, "details": {"content": step.result}},
    }


def node_text(result: Frame) -> str:
    """Return a node's result for the model."""
    if not result["ok"]:
        return f"{result['error']['code']}: {result['error']['message']}"
    return "".join(part["text"] for part in result["payload"].get("content", ()))


def node_result(
    step: CallTool, result: Frame, tool: Frame | None, meta: str, *, outer: bool
) -> Frame:
    """Return the data of the result event of a node's tool.

    ``outer``: of the ``tool_call`` that called it.
    """
    content = [{"type": "text", "text": node_text(result)}]
    inner: Frame = {"content": content}
    if tool and "mcp" in tool:
        server, name = tool["mcp"]["server"], tool["mcp"]["tool"]
        inner["details"] = {"mcpServer": server, "mcpTool": name}
    details = {"tool": recorded_tool() | {"id": step.name}, "result": inner}
    shown = {"content": content, "details": details}
    return {
        "phase": "result",
        **({"meta": meta} if meta else {}),
        "isError": not result["ok"],
        "commandBearing": False,
        "result": shown if outer else inner,
    }


def recorded_tool() -> Frame:
    """Return a tool as Tool Search describes it."""
    return dict(_recorded_result()["data"]["result"]["details"]["tool"])


def recorded_session() -> Frame:
    """Return the session data of a tool result."""
    known = {"runId", "stream", "data", "sessionKey", "agentId", "seq", "ts"}
    event = _recorded_result()
    return {key: value for key, value in event.items() if key not in known}


def _recorded_result() -> Frame:
    """Return the event of the result of a tool that Tool Search called."""
    for line in recording(V4, "node_tool_call_operator_view"):
        match line:
            case {"frame": {"payload": {"data": {"result": {"details": details}}}}} if (
                "tool" in details
            ):
                event: Frame = line["frame"]["payload"]
                return event
    raise LookupError("no tool in the recording")
