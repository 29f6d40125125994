"""Texts become the tokens that BERT's vocabulary gives them."""

from __future__ import annotations

import pytest
from vectors_kit import EMBEDDING, only_with

from parti.adapters.embedding.minilm import TOKENS_FILE
from parti.adapters.embedding.packaged import packaged_file
from parti.adapters.embedding.wordpiece import WordPiece

pytestmark = only_with(*EMBEDDING)


@pytest.fixture
def wordpiece() -> WordPiece:
    return WordPiece(packaged_file(*TOKENS_FILE, extra="embeddings", purpose="testing"), 8)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Hello, world!", [7592, 1010, 2088, 999]),
        ("unaffable", [14477, 20961, 3468]),  # un ##aff ##able, the example of the BERT paper's authors
        ("naïve CAFÉ", [15743, 7668]),  # as "naive cafe"
        ("tab\tand\nline", [21628, 1998, 2240]),
        ("🎉", [100]),  # unknown
        ("a" * 101, [100]),  # longer than a word may be
        ("\ud800", [1029]),  # half a character: ?
        ("", []),
    ],
)
def test_texts_become_the_numbers_of_berts_vocabulary(wordpiece: WordPiece, text: str, ids: list[int]) -> None:
    assert wordpiece.ids(text) == [101, *ids, 102]


def test_what_is_too_long_is_cut_off_before_the_token_of_the_end(wordpiece: WordPiece) -> None:
    assert wordpiece.ids("word " * 500) == [101, *[2773] * 6, 102]
