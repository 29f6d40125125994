"""The risk model: from what an applicant's file says to the probability that the bank would refuse the loan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from data import incoming, past, recorded_decision
from pydantic import BaseModel, Field

from parti import Training

REFUSE_FROM = 0.20  # refuses one in eight, as often as the bank did
UNSURE = (0.15, 0.25)  # so close to the line that a person decides: one application in fourteen


USE = "To rank applications for a mortgage on an underwriter's desk; not to set rates, and for no other kind of loan."


class RiskFeatures(BaseModel):
    """What the model sees. Race and marital status are no part of it: the law forbids to decide on them.

    The table also says whom a private insurer turned down. It would lift the AUC by 0.03, but the bank then refused 44 of
    those 48: it is another firm's verdict on the same file rather than a fact about the applicant, so it is left out.
    """

    debt_to_income: float
    loan_to_value: float
    credit_history: int
    mortgage_history: int
    public_record: bool
    unemployment: float
    self_employed: bool

    @classmethod
    def of(cls, application: Any) -> RiskFeatures:
        """The features of an application, an object or a dict; what else it says is not looked at."""
        return cls.model_validate(application, from_attributes=True)


class RiskScore(BaseModel):
    """What the model answers: the probability that the loan is refused."""

    probability: float = Field(ge=0, le=1)

    @property
    def approve(self) -> bool:
        """Which side of the line the application falls on."""
        return self.probability < REFUSE_FROM

    @property
    def unsure(self) -> bool:
        """Whether a person should decide."""
        return UNSURE[0] <= self.probability < UNSURE[1]


def train_risk() -> Training:
    """Learn from past applications: many small decision trees, each mending what those before it got wrong."""
    from sklearn.ensemble import GradientBoostingClassifier

    features = [RiskFeatures.of(application) for application in past()]
    refused = [not recorded_decision(application["id"]) for application in past()]
    trees = GradientBoostingClassifier(
        max_depth=2, learning_rate=0.05, subsample=0.5, min_samples_leaf=20, random_state=0
    )
    trees.fit([list(row.model_dump().values()) for row in features], refused)
    return Training(estimator=trees, rows=len(features), period=(past()[0]["id"], past()[-1]["id"]), sample=features)


def evaluate_risk(predict: Callable[[Any], Any]) -> dict[str, float]:
    """How well unseen applications are ranked: 0.5 is a coin, 1 is perfect (over random halves: 0.79, give or take 0.02)."""
    from sklearn.metrics import roc_auc_score

    refused = [not recorded_decision(application["id"]) for application in incoming()]
    features = [RiskFeatures.of(application) for application in incoming()]
    return {
        "auc": roc_auc_score(refused, [score.probability for score in predict(features)]),
        "auc_baseline": roc_auc_score(refused, [row.debt_to_income for row in features]),  # one number, no model
    }
