"""Evaluations of AI tasks.

`ai_task.evaluate` is new in Home Assistant 2026.11.
"""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.components import ai_task
from homeassistant.components.ai_task import AITaskEntityFeature
from homeassistant.helpers.json import json_dumps
import voluptuous as vol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    type Questions = Mapping[str, Mapping[str, Any]]

# Not before 2026.11.
EVALUATE: Final = getattr(AITaskEntityFeature, "EVALUATE", AITaskEntityFeature(0))
# Its types are unknown to earlier versions.
_AI_TASK: Final[Any] = ai_task

INSTRUCTIONS: Final = (
    "Estimate the answers to the questions below from the given state and pictures. A "
    "question of the type `noul` is answered by the probability of yes, one of the "
    "type `choice` by the probability of each alternative, and one of the type "
    "`score` by the probability of each level, in their order. Probabilities are "
    "numbers from 0 to 1."
)
_PROBABILITY: Final = vol.All(vol.Coerce(float), vol.Range(min=0, max=1))


def evaluation_text(questions: Questions, state: object) -> str:
    """Return the task for a model."""
    told = "" if state is None else f"\n\nThe state:\n{_text(state)}"
    return f"{INSTRUCTIONS}\n\nThe questions:\n{json_dumps(questions)}{told}"


def evaluation_structure(questions: Questions) -> vol.Schema:
    """Return the structure of the estimates."""
    fields = {vol.Required(name): _field(q) for name, q in questions.items()}
    return vol.Schema(fields)


def evaluation_result(questions: Questions, data: Mapping[str, Any]) -> Any:  # noqa: ANN401 - see above
    """Return the estimates for Home Assistant."""
    answers = {name: _answer(q, data[name]) for name, q in questions.items()}
    return _AI_TASK.EvaluationTaskResult(answers=answers)


def _field(question: Mapping[str, Any]) -> object:
    match question:
        case {"type": "choice", "criteria": criteria}:
            return vol.Schema({vol.Required(name): _PROBABILITY for name in criteria})
        case {"type": "score", "criteria": criteria}:
            length = len(criteria)
            return vol.All([_PROBABILITY], vol.Length(min=length, max=length))
    return _PROBABILITY


def _answer(question: Mapping[str, Any], estimate: Any) -> object:  # noqa: ANN401 - of a structure
    match question["type"]:
        case "choice":
            shares = dict(zip(estimate, _normalize(estimate.values()), strict=True))
            choice = max(shares, key=lambda name: shares[name])
            return _AI_TASK.ChoiceAnswer(choice=choice, probabilities=shares)
        case "score":
            levels = _normalize(estimate)
            score = sum(level * share for level, share in enumerate(levels))
            return _AI_TASK.ScoreAnswer(score=score, probabilities=levels)
    return _AI_TASK.NoulAnswer(noul=float(estimate))


def _normalize(estimates: Iterable[float]) -> list[float]:
    """Normalize shares to a sum of one."""
    values = [float(estimate) for estimate in estimates]
    total = sum(values)
    return [value / total if total else 1 / len(values) for value in values]


def _text(state: object) -> str:
    return state if isinstance(state, str) else json_dumps(state)
