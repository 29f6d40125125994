"""Models declared for tests, and the types they take and give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, TypeAdapter

from parti.design.model import Model
from parti.design.payload import Payload, schema_digest
from parti.design.places import Place
from parti.ports.store import ModelVersion


class Measures(BaseModel):
    width: float
    height: float


class Chance(BaseModel):
    probability: float


def payload_of(kind: Any) -> Payload:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    schema = adapter.json_schema()
    return Payload(getattr(kind, "__name__", str(kind)), adapter, schema, schema_digest(schema))


def declared(inputs: Any = Measures, output: Any = Chance, **options: Any) -> Model:
    return Model(
        name="fit",
        place=Place("app.py", 7),
        inputs=payload_of(inputs),
        output=payload_of(output),
        timeout=30.0,
        digest="c0de",
        **options,
    )


Trained = Callable[[Model], tuple[ModelVersion, bytes]]
