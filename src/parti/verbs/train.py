"""Training: a new version of a model, measured and stored."""

from __future__ import annotations

from dataclasses import dataclass

from parti.design.model import Model
from parti.mlops.train import train_version
from parti.ports.store import ModelVersion
from parti.verbs.models import Version, described
from parti.verbs.target import Target, now
from parti.wiring import exporter, scorer_for


@dataclass(frozen=True, slots=True)
class Trained:
    """The new version, and the one before it, if any."""

    version: Version
    before: Version | None


async def train(target: Target, name: str, *, token: str = "") -> Trained:
    """Train a model of the app and store the version; a running system serves it from now on.

    Raises P308 for an unknown model, P602 to P604 when it cannot be trained, measured or exported.
    """
    model = target.design.get(Model, name)
    version, onnx = await make_version(target, model)
    async with target.changing(token) as system:
        stored = await system.add_version(version, onnx)
    async with target.reading() as store:
        earlier = [known for known in await store.models(name) if known.version < stored.version]
        described_before = await described(earlier[-1], store, target.design) if earlier else None
        return Trained(await described(stored, store, target.design), described_before)


async def make_version(target: Target, model: Model) -> tuple[ModelVersion, bytes]:
    """A new version and its ONNX, not stored yet."""
    scorer = scorer_for(target.design)
    assert scorer is not None, "a design with a model has a scorer"
    return await train_version(model, exporter=exporter(), scorer=scorer, created=now())
