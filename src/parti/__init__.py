"""Parti: the architecture of an AI system is the program."""

from parti.declare.inside import ask, idempotency_key, now, random, sleep, uuid
from parti.declare.system import System
from parti.design.dead_letter import DeadLetter
from parti.design.goals import Retry, Slo
from parti.design.labels import Label
from parti.design.model import Reason
from parti.design.question import Question
from parti.errors import NotDone, Overloaded, PartiError, QuestionExpired, StepFailed
from parti.mlops.training import Training

__all__ = [
    "DeadLetter",
    "Label",
    "NotDone",
    "Overloaded",
    "PartiError",
    "Question",
    "QuestionExpired",
    "Reason",
    "Retry",
    "Slo",
    "StepFailed",
    "System",
    "Training",
    "ask",
    "idempotency_key",
    "now",
    "random",
    "sleep",
    "uuid",
]
