"""WordPiece tokens: a text as the numbers that a BERT model reads, by the `tokenizers` library."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from parti.extras import need

TEXT_MAX: Final = 20_000
"""Characters of a text that are looked at, so that a very long one takes no longer: some 80 for each token of 256."""


class WordPiece:
    """Tokens as a `tokenizer.json` says, framed by the tokens of start and end. Safe from several threads."""

    def __init__(self, file: Path, tokens_max: int) -> None:
        """At most `tokens_max` tokens of a text are kept, start and end included; the rest is cut off."""
        tokenizers = need("tokenizers", extra="embeddings", purpose="embedding texts")
        self._tokenizer = tokenizers.Tokenizer.from_file(str(file))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=tokens_max)

    def ids(self, text: str) -> list[int]:
        """The numbers of the tokens. Half a surrogate pair, which is no character, counts as a question mark."""
        text = text[:TEXT_MAX].encode("utf-8", "replace").decode("utf-8")
        return self._tokenizer.encode(text).ids  # type: ignore[no-any-return]
