"""The contract of the vector index port as tests: every adapter's test class inherits them and says how to open an index.

class TestMyIndex(VectorsContract):
    def open_index(self, dimensions: int) -> VectorIndex:
        return MyIndex(dimensions)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parti.errors import PayloadError
from parti.extras import need
from parti.ports.vectors import Found, VectorIndex

UNFIT: Any = ([[1.0, 0.0]], [[0.0, 0.0, 0.0]], [[1.0, float("nan"), 0.0]], [[float("inf"), 0.0, 0.0]], [1.0, 0.0, 0.0])
"""What is no row of three numbers with a direction."""


def rows(*vectors: Sequence[float]) -> Any:
    """Vectors as an array, shape (vectors, dimensions)."""
    return need("numpy", extra="embeddings", purpose="testing a vector index").array(vectors, "float32")


def keys(found: Sequence[Found]) -> list[str]:
    """The keys of what was found, in order."""
    return [key for key, _ in found]


class VectorsContract:
    """What every vector index does, approximate ones too: here they have few vectors, far apart."""

    def open_index(self, dimensions: int) -> VectorIndex:
        """A new, empty index."""
        raise NotImplementedError

    def compass(self) -> VectorIndex:
        """An index of four directions, one of them not of length 1."""
        index = self.open_index(3)
        index.add(["north", "east", "south", "northeast"], rows([0, 1, 0], [1, 0, 0], [0, -1, 0], [5, 5, 0]))
        return index

    def refuses(self, work: Any) -> None:
        """`work` raises P402."""
        try:
            work()
        except PayloadError as error:
            assert error.code == "P402"
        else:
            raise AssertionError("nothing was raised")

    def test_a_new_index_is_empty_and_finds_nothing(self) -> None:
        index = self.open_index(3)
        assert (len(index), index.dimensions, "north" in index) == (0, 3, False)
        assert index.search(rows([1, 0, 0])[0], 5) == []
        assert index.search(rows([1, 0, 0])[0], 5, among={"north"}) == []

    def test_the_best_come_first_with_their_cosine(self) -> None:
        found = self.compass().search(rows([0, 3, 0])[0], 9)
        assert found == [("north", 1.0), ("northeast", 0.707107), ("east", 0.0), ("south", -1.0)]
        assert all(type(key) is str and type(similarity) is float for key, similarity in found)

    def test_no_more_come_than_asked_for(self) -> None:
        index, north = self.compass(), rows([0, 1, 0])[0]
        assert [len(index.search(north, limit)) for limit in (0, 1, 2, 4, 100)] == [0, 1, 2, 4, 4]
        assert keys(index.search(north, 2)) == ["north", "northeast"]

    def test_equal_ones_come_in_the_order_of_their_keys(self) -> None:
        index = self.open_index(2)
        index.add(["c", "a", "d", "b"], rows([1, 1], [1, 1], [0, 1], [2, 2]))
        assert index.search(rows([1, 1])[0], 3) == [("a", 1.0), ("b", 1.0), ("c", 1.0)]

    def test_many_equal_ones_do_not_hide_another(self) -> None:
        index = self.open_index(2)
        index.add([f"{at:03}" for at in range(300)], rows(*[[1, 0.5]] * 300))
        index.add(["other"], rows([0, 1]))
        index.remove(f"{at:03}" for at in range(290))
        assert keys(index.search(rows([0, 1])[0], 2)) == ["other", "290"]
        assert keys(index.search(rows([1, 0])[0], 11)) == [*map(str, range(290, 300)), "other"]

    def test_only_the_keys_asked_for_are_looked_at(self) -> None:
        index, north = self.compass(), rows([0, 1, 0])[0]
        assert keys(index.search(north, 9, among={"south", "east", "west"})) == ["east", "south"]
        assert keys(index.search(north, 1, among=["south", "south", "east"])) == ["east"]
        assert index.search(north, 9, among=[]) == []

    def test_a_key_that_is_added_again_is_replaced(self) -> None:
        index = self.compass()
        index.add(["north"], rows([0, 0, 1]))
        assert len(index) == 4
        assert index.search(rows([0, 0, 1])[0], 1) == [("north", 1.0)]
        assert keys(index.search(rows([0, 1, 0])[0], 1)) == ["northeast"]

    def test_of_a_key_that_stands_twice_the_last_row_counts(self) -> None:
        index = self.open_index(2)
        index.add(["a", "b", "a"], rows([1, 0], [1, 1], [0, 1]))
        assert len(index) == 2
        assert index.search(rows([0, 1])[0], 9) == [("a", 1.0), ("b", 0.707107)]

    def test_a_removed_key_is_gone_and_the_others_stay(self) -> None:
        index = self.compass()
        index.remove(["north", "west", "north"])
        assert (len(index), "north" in index, "east" in index) == (3, False, True)
        assert keys(index.search(rows([0, 1, 0])[0], 9)) == ["northeast", "east", "south"]
        assert index.search(rows([0, 1, 0])[0], 9, among={"north"}) == []

    def test_a_removed_key_can_come_back(self) -> None:
        index = self.compass()
        index.remove(["north", "east", "south", "northeast"])
        assert (len(index), index.search(rows([0, 1, 0])[0], 9)) == (0, [])
        index.add(["north"], rows([1, 0, 0]))
        assert index.search(rows([1, 0, 0])[0], 9) == [("north", 1.0)]

    def test_many_are_added_in_parts_and_all_are_found(self) -> None:
        index = self.open_index(64)
        eye = rows(*([float(row == column) for column in range(64)] for row in range(64)))
        for start in range(0, 64, 5):
            index.add([f"{at}" for at in range(start, min(start + 5, 64))], eye[start : start + 5])
        assert [index.search(eye[at], 1) for at in range(64)] == [[(f"{at}", 1.0)] for at in range(64)]

    def test_the_index_keeps_its_own_copy(self) -> None:
        index, vectors = self.open_index(2), rows([1, 0])
        index.add(["a"], vectors)
        vectors[0] = [0, 1]
        assert index.search(rows([1, 0])[0], 1) == [("a", 1.0)]

    def test_adding_nothing_changes_nothing(self) -> None:
        index = self.compass()
        index.add([], rows([0, 0, 0])[:0])
        index.remove([])
        assert len(index) == 4

    def test_a_vector_that_does_not_fit_is_refused_and_nothing_is_done(self) -> None:
        index = self.compass()
        for unfit in UNFIT:
            self.refuses(lambda unfit=unfit: index.add(["north"], unfit))
            self.refuses(lambda unfit=unfit: index.search(unfit[0], 1))
        self.refuses(lambda: index.add(["new", "north"], rows([1, 0, 0], [0, 0, 0])))
        self.refuses(lambda: index.add(["new", "north"], rows([1, 0, 0])))
        assert (len(index), "new" in index) == (4, False)
        assert index.search(rows([0, 1, 0])[0], 1) == [("north", 1.0)]
