"""Questions of agents (protocol 4), as recorded."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import json
from typing import TYPE_CHECKING, Any
import uuid

from .params import QUESTIONS, grants_scope
from .recordings import Frame
from .request_errors import RequestError, invalid_request
from .request_log import Request
from .script import AskUser

if TYPE_CHECKING:
    from .connection import ClientConnection
    from .runs import Run
    from .server import GatewaySimulator

NO_PROFILE = "Session-scoped access requires a verified user profile"


@dataclass
class Pending:
    """Question that waits for its answer."""

    record: Frame
    step: AskUser
    done: asyncio.Event = field(default_factory=asyncio.Event)
    answers: dict[str, list[str]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return the text for the agent."""
        status = self.record["status"]
        if status != "answered":
            return json.dumps({"status": status}, indent=2)
        lines = [
            f"{question['header']}: {', '.join(self.answers[question['questionId']])}"
            for question in self.record["questions"]
        ]
        answers = {"status": status, "answers": {"answers": self.answers}}
        return "\n".join([*lines, "", json.dumps(answers, indent=2)])


@dataclass
class Questions:
    """Questions of the Gateway's agents by id."""

    gateway: GatewaySimulator
    known: dict[str, Pending] = field(default_factory=dict)

    @property
    def open(self) -> list[Pending]:
        """Return the questions without an answer, oldest first."""
        return [one for one in self.known.values() if one.record["status"] == "pending"]

    async def ask(self, run: Run, step: AskUser) -> str:
        """Ask for a run and return the answer."""
        scopes = run.connection.scopes if run.connection else [QUESTIONS]
        if not grants_scope(scopes, QUESTIONS):
            return NO_PROFILE
        now = self.gateway.now_ms()
        question_id = f"ask_{uuid.uuid4().hex}"
        record: Frame = {
            "id": question_id,
            "questions": step.recorded,
            "agentId": run.events.agent_id,
            "sessionKey": run.events.session_key,
            "runId": run.run_id,
            "createdAtMs": now,
            "expiresAtMs": now + step.timeout * 1000,
            "status": "pending",
        }
        pending = self.known[question_id] = Pending(record, step)
        self.gateway.broadcast("question.requested", record, scope=QUESTIONS)
        self.gateway.notify()
        try:
            await pending.done.wait()
        finally:
            # The run was stopped.
            if not pending.done.is_set():
                self.close(question_id, "cancelled")
        return pending.text

    def close(self, question_id: str, status: str) -> None:
        """End a question, as by its expiry or in the dashboard."""
        pending = self.known[question_id]
        pending.record |= {"status": status}
        pending.done.set()
        event: Frame = {"id": question_id, "status": status}
        if status == "answered":
            event["answers"] = {"answers": pending.answers}
        self.gateway.broadcast("question.resolved", event, scope=QUESTIONS)
        self.gateway.notify()

    def answer(self, question_id: str, answers: Mapping[str, Sequence[str]]) -> None:
        """Answer a question.

        Raises:
            RequestError: an answer is missing or unknown.
        """
        pending = self.known[question_id]
        for question in pending.record["questions"]:
            key, labels = question["questionId"], question.get("options", [])
            values = [value.strip() for value in answers.get(key, ())]
            known = {option["label"] for option in labels}
            problem = ""
            if not values or not all(values):
                problem = "requires an answer"
            elif len(values) > 1 and not question.get("multiSelect"):
                problem = "does not allow multiple answers"
            elif known and not question.get("isOther") and not known >= {*values}:
                problem = "contains an unknown option"
            if problem:
                raise _refused(f"question '{key}' {problem}", "INVALID_ANSWER")
            pending.answers[key] = values
        self.close(question_id, "answered")


async def list_questions(
    gateway: GatewaySimulator, _: ClientConnection, __: Request
) -> Frame:
    """Return the open questions."""
    return {"questions": [dict(one.record) for one in gateway.questions.open]}


async def resolve_question(
    gateway: GatewaySimulator, _: ClientConnection, request: Request
) -> Frame:
    """Answer or cancel a question."""
    questions, question_id = gateway.questions, request.params["id"]
    if question_id not in questions.known:
        raise _refused(f"question '{question_id}' was not found", "NOT_FOUND")
    status = questions.known[question_id].record["status"]
    if status != "pending":
        problem = f"question '{question_id}' is already {status}"
        raise _refused(problem, "ALREADY_TERMINAL")
    match request.params:
        case {"cancel": True}:
            questions.close(question_id, "cancelled")
            return {"status": "cancelled"}
        case {"answers": {"answers": dict(answers)}}:
            questions.answer(question_id, answers)
            return {"status": "answered", "answers": {"answers": answers}}
    raise invalid_request("invalid question.resolve params: must match a schema")


def _refused(message: str, reason: str) -> RequestError:
    details: dict[str, Any] = {"reason": f"QUESTION_{reason}"}
    return RequestError(
        {"code": "INVALID_REQUEST", "message": message, "details": details}
    )
