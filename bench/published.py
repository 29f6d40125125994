"""Published service times of models on GPUs, by size of batch, and pipelines of them. Each figure says where it is from.

NVIDIA DeepLearningExamples (github.com/NVIDIA/DeepLearningExamples) publishes, in the README of each model, latency and throughput for
each size of batch, "fed in one after another", which is what a server does. Seconds of a batch here are its size over the
published mean throughput (of Jasper, the published mean latency). The spread is that of its published 99th percentile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

T4: Final = "T4"
V100: Final = "V100"

USD_PER_HOUR: Final = {T4: 0.526, V100: 3.06}
"""g4dn.xlarge (as in Parti's price list) and p3.2xlarge: AWS, on demand, us-east-1, Linux."""

GPUS_SOURCE: Final = "AWS on-demand prices, us-east-1: g4dn.xlarge (T4) $0.526 and p3.2xlarge (V100) $3.06 an hour"

Table = dict[int, float]


@dataclass(frozen=True)
class Model:
    """A model: milliseconds of a batch by its size, for each GPU; the coefficient of variation; and where all of that is from."""

    name: str
    milliseconds: dict[str, Table]
    cv: float
    source: str

    def seconds(self, gpu: str, batch: int) -> float:
        """Seconds of a batch of that size on that GPU; between published sizes it is linear."""
        for (low, before), (high, after) in pairwise(sorted(self.milliseconds[gpu].items())):
            if low <= batch <= high:
                return (before + (after - before) * (batch - low) / (high - low)) / 1000
        raise ValueError(f"{self.name} was not published with batches of {batch}")

    def growth(self, gpu: str, batch: int) -> tuple[float, ...]:
        """By how much a batch of 1, 2, … takes longer than one request alone."""
        alone = self.seconds(gpu, 1)
        return tuple(self.seconds(gpu, size) / alone for size in range(1, batch + 1))


@dataclass(frozen=True)
class Chain:
    """Models one after the other; `shares` of those that reach one go on to the next. Rates are requests per second."""

    name: str
    models: tuple[Model, ...]
    shares: tuple[float, ...]
    rates: tuple[float, float]

    @property
    def visits(self) -> tuple[float, ...]:
        """The share of requests that reaches each model."""
        found = [1.0]
        for share in self.shares:
            found.append(found[-1] * share)
        return tuple(found)

    def alone(self) -> float:
        """Seconds of a request that passes all models with nobody else about, each on its fastest GPU."""
        return sum(min(model.seconds(gpu, 1) for gpu in model.milliseconds) for model in self.models)


def _cv(mean: float, p99: float) -> float:
    """The cv of a lognormal distribution with about this mean and 99th percentile."""
    sigma = math.log(p99 / mean) / 2.326
    return math.sqrt(math.exp(sigma**2) - 1)


def _of(throughputs: Table) -> Table:
    """Milliseconds of a batch, from items a second."""
    return {batch: 1000 * batch / rate for batch, rate in throughputs.items()}


_README = "NVIDIA/DeepLearningExamples, {}/README.md, inference performance, mixed precision (FP16)"

RESNET50: Final = Model(
    "ResNet50 v1.5",
    {T4: _of({1: 79, 2: 156, 4: 317, 8: 652, 16: 1050}), V100: _of({1: 78, 2: 154, 4: 300, 8: 595, 16: 1178})},
    _cv(12.96, 20.0), _README.format("PyTorch/Classification/ConvNets/resnet50v1.5"),
)  # fmt: skip
RESNEXT101: Final = Model(
    "ResNeXt101-32x4d",
    {T4: _of({1: 51.14, 2: 102.29, 4: 209.44, 8: 408.69, 16: 641.78}),
     V100: _of({1: 43.11, 2: 83.29, 4: 173.67, 8: 330.18, 16: 634.82})},
    _cv(19.48, 26.21), _README.format("PyTorch/Classification/ConvNets/resnext101-32x4d"),
)  # fmt: skip
SSD300: Final = Model(
    "SSD300 v1.1", {V100: _of({1: 84.59, 2: 165.30, 4: 304.77, 8: 447.25, 16: 541.05})},
    0.1, _README.format("PyTorch/Detection/SSD") + "; it gives no spread: cv 0.1 is assumed",
)  # fmt: skip
JASPER: Final = Model(
    "Jasper, 7 s of speech",
    {T4: {1: 54.58, 2: 54.87, 4: 73.75, 8: 98.84, 16: 166.53}, V100: {1: 60.93, 2: 60.15, 4: 64.19, 8: 67.60, 16: 93.86}},
    _cv(60.93, 65.53), _README.format("PyTorch/SpeechRecognition/Jasper") + "; DGX-1 with V100 32 GB, and T4",
)  # fmt: skip
BERT_BASE: Final = Model(
    "BERT base, 128 tokens",
    {T4: _of({1: 91.93, 2: 148.08, 4: 215.45, 8: 289.52}), V100: _of({1: 207.87, 2: 376.44, 4: 642.55, 8: 943.85})},
    _cv(10.88, 11.94), _README.format("TensorFlow/LanguageModeling/BERT") + "; SQuAD v1.1, DGX-1 with V100 32 GB, and T4",
)  # fmt: skip
BERT_LARGE: Final = Model(
    "BERT large, 384 tokens",
    {T4: _of({1: 23.05, 2: 29.59, 4: 34.27, 8: 38.29}), V100: _of({1: 68.75, 2: 95.41, 4: 124.43, 8: 143.02})},
    _cv(43.38, 46.8), _README.format("TensorFlow/LanguageModeling/BERT") + "; SQuAD v1.1, DGX-1 with V100 32 GB, and T4",
)  # fmt: skip

CHAINS: Final = (
    Chain("spoken questions", (JASPER, BERT_BASE, BERT_LARGE), (1.0, 0.6), (40, 120)),
    Chain("image cascade", (RESNET50, RESNEXT101), (0.3,), (900, 2700)),
    Chain("video monitor", (SSD300, RESNET50, RESNEXT101), (0.7, 0.4), (400, 1200)),
)
"""Modelled on the pipelines of InferLine's figure 2: a digital assistant, a cascade and a video monitor. The shares are ours."""
