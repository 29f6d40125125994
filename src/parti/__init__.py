"""Parti: the architecture of an AI system is the program."""

from parti.declare.agent_handles import Work
from parti.declare.inside import ask, idempotency_key, now, random, sleep, spend, tell, time_left, uuid
from parti.declare.system import System
from parti.design.approval import Approval
from parti.design.batch import Batch
from parti.design.budget import Budget, Cost
from parti.design.choices import Site, Variant
from parti.design.dead_letter import DeadLetter
from parti.design.evaluation import Case, Journal, Score, Trial
from parti.design.gate import Gate
from parti.design.goals import Retry, Slo
from parti.design.labels import Label, Purpose, Region
from parti.design.llm import Price
from parti.design.memory import Episode, Recalled
from parti.design.model import Reason
from parti.design.outcome import Outcome
from parti.design.overflow import Summarise, Truncate
from parti.design.prompt import Prompt
from parti.design.question import Question
from parti.errors import (
    AgentStopped,
    BudgetSpent,
    LlmError,
    NotDone,
    Overloaded,
    PartiError,
    QuestionExpired,
    StepFailed,
)
from parti.mlops.training import Training

__all__ = [
    "AgentStopped",
    "Approval",
    "Batch",
    "Budget",
    "BudgetSpent",
    "Case",
    "Cost",
    "DeadLetter",
    "Episode",
    "Gate",
    "Journal",
    "Label",
    "LlmError",
    "NotDone",
    "Outcome",
    "Overloaded",
    "PartiError",
    "Price",
    "Prompt",
    "Purpose",
    "Question",
    "QuestionExpired",
    "Reason",
    "Recalled",
    "Region",
    "Retry",
    "Score",
    "Site",
    "Slo",
    "StepFailed",
    "Summarise",
    "System",
    "Training",
    "Trial",
    "Truncate",
    "Variant",
    "Work",
    "ask",
    "idempotency_key",
    "now",
    "random",
    "sleep",
    "spend",
    "tell",
    "time_left",
    "uuid",
]
