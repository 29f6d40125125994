"""Both vector indexes keep the contract of the port, and the approximate one finds what the exact one finds."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors_kit import SEARCHING, only_with

from parti.adapters.vectors import EXACT_MAX, open_index
from parti.adapters.vectors.exact import ExactIndex
from parti.adapters.vectors.usearch import UsearchIndex
from parti.errors import DeclarationError
from parti.ports.vectors import VectorIndex
from parti.testing.vectors_contract import VectorsContract

np = pytest.importorskip("numpy", reason="pip install 'parti[embeddings]' for numpy")
pytestmark = only_with(*SEARCHING)


class TestExact(VectorsContract):
    def open_index(self, dimensions: int) -> VectorIndex:
        return ExactIndex(dimensions)


class TestUsearch(VectorsContract):
    def open_index(self, dimensions: int) -> VectorIndex:
        return UsearchIndex(dimensions)


def some_vectors(seed: int, count: int, dimensions: int = 24) -> Any:
    return np.random.default_rng(seed).normal(size=(count, dimensions)).astype("float32")


def test_an_index_is_exact_until_there_are_very_many() -> None:
    assert isinstance(open_index(8, EXACT_MAX), ExactIndex)
    assert isinstance(open_index(8, EXACT_MAX + 1), UsearchIndex)


@pytest.mark.parametrize(("kind", "module"), [(ExactIndex, "numpy"), (UsearchIndex, "usearch.index")])
def test_a_missing_package_is_one_error_that_names_the_command(
    kind: type[ExactIndex | UsearchIndex], module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        DeclarationError, match=f"P110 .* needs the package '{module.split('.', maxsplit=1)[0]}'"
    ) as error:
        kind(8)
    assert error.value.fix == "pip install 'parti[embeddings]'"


@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 200),
    removed=st.integers(0, 100),
    replaced=st.integers(0, 100),
    copies=st.integers(1, 200),
    limit=st.integers(1, 20),
)
@settings(max_examples=40, deadline=None)
def test_usearch_finds_what_the_exact_index_finds(
    seed: int, count: int, removed: int, replaced: int, copies: int, limit: int
) -> None:
    exact, graph = ExactIndex(24), UsearchIndex(24)
    vectors, others = np.repeat(some_vectors(seed, count), copies, axis=0)[:count], some_vectors(seed + 1, count)
    keys = [f"{at:03}" for at in range(count)]
    for index in (exact, graph):
        index.add(keys, vectors)
        index.remove(keys[:removed])
        index.add(keys[-replaced:], others[-replaced:])
    assert len(exact) == len(graph)
    for query in some_vectors(seed + 2, 5):
        wanted, found = exact.search(query, limit), graph.search(query, limit)
        assert [similarity for _, similarity in found] == [similarity for _, similarity in wanted]
        some = set(keys[::3])
        assert graph.search(query, limit, among=some) == exact.search(query, limit, among=some)


def test_usearch_still_finds_after_many_replacements() -> None:
    exact, graph = ExactIndex(24), UsearchIndex(24)
    for turn in range(6):
        keys = [f"{at}" for at in range(turn * 100, turn * 100 + 500)]
        for index in (exact, graph):
            index.add(keys, some_vectors(turn, 500))
            index.remove(f"{at}" for at in range(turn * 100))
    queries = some_vectors(99, 50)
    hits = sum(len(set(exact.search(query, 10)) & set(graph.search(query, 10))) for query in queries)
    assert hits >= 0.98 * 10 * len(queries)


def test_the_same_additions_make_the_same_graph() -> None:
    def answers() -> list[Any]:
        index = UsearchIndex(24)
        index.add([f"{at}" for at in range(1500)], some_vectors(3, 1500))
        return [index.search(query, 10) for query in some_vectors(4, 20)]

    assert answers() == answers()


def test_equal_vectors_tie_wherever_they_lie() -> None:
    index, vector = ExactIndex(384), some_vectors(5, 1, 384)
    index.add([f"{at:04}" for at in range(1001)], np.repeat(vector, 1001, axis=0))
    found = index.search(some_vectors(6, 1, 384)[0], 1001)
    assert [key for key, _ in found] == [f"{at:04}" for at in range(1001)]
