"""Classes by prototypes: tickets find their desk, and what fits none is unsure."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from vectors_kit import EMBEDDING, only_with

from parti.adapters.embedding.minilm import MiniLm
from parti.design.prototypes import Nearest, Prototypes, prototypes_of
from parti.errors import DeclarationError

np = pytest.importorskip("numpy", reason="pip install 'parti[embeddings]' for numpy")

X, Y, Z = np.eye(3, dtype="float32")

DESKS = {
    "billing": ["I was charged twice this month", "Please send me a copy of my invoice", "My refund has not arrived"],
    "technical": ["The app crashes when I open it", "I get an error when saving", "The page does not load"],
    "account": ["I forgot my password", "How do I change my email address?", "Please delete my account"],
    "shipping": ["Where is my parcel?", "My package arrived damaged", "The delivery is late"],
}

TICKETS = [
    ("billing", "You took the money for September two times from my card"),
    ("billing", "I need a receipt for my tax return"),
    ("billing", "When do I get my money back for the cancelled order?"),
    ("technical", "Since the last update the program closes itself right after it starts"),
    ("technical", "Exporting a report ends with error 500"),
    ("technical", "The dashboard stays blank in Firefox"),
    ("account", "The reset link for my password never comes"),
    ("account", "I got married and need to change the name on my profile"),
    ("shipping", "The courier says delivered but nothing is here"),
    ("shipping", "The box was crushed and the lamp inside is broken"),
]

OFF_TOPIC = ["Photosynthesis in deep sea algae", "asdf qwer", "Hello", ""]


def test_the_nearest_class_comes_with_its_similarity_and_margin() -> None:
    nearest = Prototypes({"x": X, "y": Y, "z": Z}).nearest(0.8 * Y + 0.6 * Z)
    assert (nearest.label, nearest.unsure) == ("y", False)
    assert (nearest.similarity, nearest.margin) == (pytest.approx(0.8), pytest.approx(0.2))


def test_what_is_too_close_to_call_is_unsure() -> None:
    halfway = (X + Y) / 2**0.5
    assert Prototypes({"x": X, "y": Y}).nearest(halfway) == Nearest("x", pytest.approx(0.707107), 0.0, True)
    assert not Prototypes({"x": X, "y": Y}, margin_min=0).nearest(halfway).unsure


def test_what_is_like_no_class_is_unsure() -> None:
    far = 0.1 * X + 0.99498744 * Z
    assert Prototypes({"x": X, "y": Y}).nearest(far).unsure
    assert not Prototypes({"x": X, "y": Y}, similarity_min=0.1).nearest(far).unsure


def test_a_prototype_is_the_middle_of_its_examples() -> None:
    prototypes = prototypes_of({"xy": np.stack([X, Y]), "z": np.stack([Z, Z, Z])}, margin_min=0.3)
    assert prototypes.vectors["xy"] == pytest.approx((X + Y) / 2**0.5)
    assert prototypes.vectors["z"] == pytest.approx(Z)
    assert (prototypes.margin_min, prototypes.similarity_min) == (0.3, 0.2)


@pytest.mark.parametrize(
    "examples", [{}, {"x": X[None]}, {"x": X[None], "none": X[None][:0]}, {"x": X[None], "away": np.stack([Y, -Y])}]
)
def test_classes_that_cannot_be_told_apart_are_refused(examples: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError, match="P105"):
        prototypes_of(examples)


@only_with(*EMBEDDING)
def test_ten_of_ten_tickets_find_their_desk_and_the_rest_is_unsure() -> None:
    async def main() -> tuple[list[Nearest], list[Nearest]]:
        minilm = MiniLm()
        desks = prototypes_of({desk: await minilm.embed(texts) for desk, texts in DESKS.items()})
        tickets = await minilm.embed([text for _, text in TICKETS])
        others = await minilm.embed(OFF_TOPIC)
        return [desks.nearest(row) for row in tickets], [desks.nearest(row) for row in others]

    found, others = asyncio.run(main())
    assert [nearest.label for nearest in found] == [desk for desk, _ in TICKETS]
    assert [nearest.unsure for nearest in found + others] == [False] * 10 + [True] * 4
