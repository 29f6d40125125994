"""What answers for the outside of a design: its models, language models, embedders and tool servers, made when they are first wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from parti.adapters.chance import SystemChance
from parti.adapters.clock import SystemClock
from parti.adapters.embedding.late import LateEmbedder
from parti.adapters.llm.prices import listed_cost
from parti.adapters.machine import ThisMachine
from parti.agents.gate import Gate
from parti.agents.purse import Purse
from parti.agents.servers import Servers
from parti.agents.tape import Playing, Recording
from parti.design.evaluation import Alikeness
from parti.design.graph import Design
from parti.design.llm import LOCAL, Llm
from parti.design.memory import Memory
from parti.design.model import Model
from parti.design.tool_server import ToolServer
from parti.extras import need
from parti.ports.embedder import Embedder
from parti.ports.exporter import Exporter
from parti.ports.llm import Llms, Provider
from parti.ports.machine import Machine
from parti.ports.scorer import Scorer
from parti.ports.tool_server import Connection, ToolServers

Providers = Callable[[Llm], Provider]
"""Makes what answers for a language model."""


def scorer_for(design: Design) -> Scorer | None:
    """What serves the models of a design; None when it has none, so that nothing heavy is imported."""
    if not any(design.all(Model)):
        return None
    from parti.adapters.onnx.scorer import OnnxScorer  # noqa: PLC0415 numpy and onnxruntime only where models are

    return OnnxScorer()


class Tape(NamedTuple):
    """Where answers of language models are recorded, or played back from."""

    folder: Path
    play: bool


def embedder_for(design: Design) -> Embedder | None:
    """What embeds the facts of memories, loaded when one is first remembered or recalled; None where there are none."""
    return LateEmbedder(_minilm) if any(design.all(Memory)) else None


def _minilm() -> Embedder:
    from parti.adapters.embedding.minilm import MiniLm  # noqa: PLC0415 onnxruntime only where it is used

    return MiniLm()


def llms_for(design: Design, providers: Providers, tape: Tape | None = None) -> Llms | None:
    """The language models of a design, behind one gate; None when it has none."""
    if not any(design.all(Llm)):
        return None
    gate = Gate(design, providers, SystemClock(), SystemChance(), listed_cost)
    if tape is None:
        return gate
    return Playing(tape.folder, gate) if tape.play else Recording(tape.folder, gate)


def purse_for(design: Design, tape: Tape | None, ledger: Path, limit: float) -> Purse:
    """The language models of a design, with what they may cost in all; see Purse."""
    llms = llms_for(design, provider_for, tape)
    assert llms is not None, "an agent of the design has a language model"
    return Purse(llms, ledger, limit)


def provider_for(llm: Llm) -> Provider:
    """What answers for a declared language model. Nothing is imported or loaded before it is asked."""
    if llm.target == LOCAL:
        return local_llm()
    from parti.adapters.llm.pydantic_ai import PydanticAiProvider  # noqa: PLC0415 see above

    return PydanticAiProvider()


def alikeness() -> Alikeness:
    """How alike texts are, by the embedding model. Raises P110 only once it is asked without its packages."""
    embedder: list[Embedder] = []

    async def alike(one: str, other: str) -> float:
        if not embedder:
            from parti.adapters.embedding.minilm import MiniLm  # noqa: PLC0415 only where meanings are compared

            embedder.append(MiniLm())
        left, right = await embedder[0].embed([one, other])
        return float(left @ right)

    return alike


def servers_for(design: Design) -> ToolServers | None:
    """The tool servers of a design, behind one door; None when it has none. None is connected to before it is used."""
    if not any(design.all(ToolServer)):
        return None
    return Servers(connection_for, SystemClock(), SystemChance())


def connection_for(server: ToolServer) -> Connection:
    """What talks to a declared tool server. Raises P110 where its packages are missing."""
    if server.protocol == "openapi":
        need("httpx", extra="openapi", purpose=f"calling `{server.name}`")
        from parti.adapters.openapi.connection import OpenApiConnection  # noqa: PLC0415 only where it is declared

        return OpenApiConnection(server)
    need("mcp", extra="mcp", purpose=f"the MCP server `{server.name}`")
    from parti.adapters.mcp.connection import McpConnection  # noqa: PLC0415 see above

    return McpConnection(server)


def this_machine() -> Machine:
    """The machine that this process runs on."""
    return ThisMachine()


def exporter() -> Exporter:
    """What turns trained estimators into ONNX. Raises P110 only once it is used without its packages."""
    from parti.adapters.onnx.export import OnnxExporter  # noqa: PLC0415 numpy and onnx only where models are trained

    return OnnxExporter()


def local_llm() -> Provider:
    """What answers for the target `local`. Its first answer raises P702 without its package or its weights."""
    from parti.adapters.llm.local import LocalProvider  # noqa: PLC0415 only where a language model is asked

    return LocalProvider()


def local_weights() -> Path | None:
    """Where the default weights of the local model lie; None where they are not installed."""
    from parti.adapters.llm.weights import default_weights  # noqa: PLC0415 only where a language model is asked

    return default_weights()
