"""The local model: the real weights where they are installed, and what can be told without them."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import jsonschema
import pytest

from parti.adapters.llm import runtime, weights
from parti.adapters.llm.chat import answer_of, body_of
from parti.adapters.llm.chat_schema import ITEMS_MAX, choice_schema, output_schema
from parti.adapters.llm.local import CONTEXT, LocalProvider
from parti.design.llm import Llm
from parti.design.places import Place
from parti.ports.llm import (
    Answer,
    Answered,
    Finish,
    LlmFailure,
    OutputSpec,
    Request,
    Returned,
    Said,
    ToolCall,
    ToolSpec,
)

GAP_MAX = 0.1
"""Seconds that the event loop may stand still while the model works."""

CREDIT_FILE = ToolSpec(
    "credit_file",
    "Looks up the credit file of an applicant.",
    {
        "type": "object",
        "properties": {"applicant": {"$ref": "#/$defs/Id"}, "years": {"type": "integer", "minimum": 1, "maximum": 7}},
        "required": ["applicant", "years"],
        "$defs": {"Id": {"type": "string", "minLength": 1, "maxLength": 12}},
    },
)
CLOSE_CASE = ToolSpec("close_case", "Ends the case.", {"type": "object", "properties": {}})


def llm(**changes: Any) -> Llm:
    facts: dict[str, Any] = {
        "name": "small", "place": Place("app.py", 1), "target": "local", "model": "", "fallbacks": (), "timeout": 60.0,
        "attempts": 1, "per_minute": None, "concurrency": 4, "price": None, "context": None, "max_tokens": 64,
        "settings": {},
    }  # fmt: skip
    return Llm(**{**facts, **changes})


def ask(text: str, **rest: Any) -> Request:
    return Request((Said("system", "You help a bank. Be brief."), Said("user", text)), **rest)


def record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def missing() -> str:
    """Why the real model cannot be asked here, in plain words; "" where it can."""
    try:
        runtime.library()
        weights.find_weights("")
    except LlmFailure as wrong:
        return f"{wrong.what}: {wrong.fix}"
    return ""


real = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def loaded() -> Iterator[runtime.Runtime]:
    """Keeps the weights in memory for all tests of this file."""
    path = weights.find_weights("")
    yield runtime.borrow(path, CONTEXT)
    runtime.give_back(path, CONTEXT)


def play(scene: Callable[[LocalProvider], Coroutine[Any, Any, Any]]) -> Any:
    """Run `scene` with a provider that is closed at its end."""

    async def whole() -> Any:
        provider = LocalProvider()
        try:
            return await scene(provider)
        finally:
            await provider.close()

    return asyncio.run(whole())


def answer(request: Request, **changes: Any) -> Answer:
    return play(lambda provider: provider.answer(llm(**changes), request))


SHAPES = {
    "object": record(name={"type": "string"}, approved={"type": "boolean"}),
    "enum": {"enum": ["approve", "decline", "refer"]},
    "array": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
    "nested": {
        **record(person={"$ref": "#/$defs/Person"}, tags={"type": "array", "items": {"$ref": "#/$defs/Tag"}}),
        "$defs": {"Person": record(name={"type": "string"}, age={"type": "integer"}), "Tag": {"enum": ["new", "old"]}},
    },
    "optional": {
        "type": "object",
        "properties": {"note": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "score": {"type": "number"}},
        "required": ["note"],
    },
    "integers with bounds": record(low={"type": "integer", "minimum": 1, "maximum": 5},
                                   high={"type": "integer", "exclusiveMinimum": 600, "maximum": 850}),
    "numbers": record(share={"type": "number", "minimum": 0, "maximum": 1}, free={"type": "number"}),
    "open": {"type": "object", "additionalProperties": {"type": "integer"}},
    "one of": {"oneOf": [record(kind={"const": "a"}, x={"type": "integer"}), record(kind={"const": "b"})]},
    "pattern and format": record(code={"type": "string", "pattern": "^[A-Z]{3}-[0-9]{2}$"},
                                 day={"type": "string", "format": "date"}),
}  # fmt: skip


@real
@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_has_the_shape_that_was_asked_for(loaded: runtime.Runtime, shape: str) -> None:
    """Whole JSON that fits: the model cannot leave the schema, and the schema has an end."""
    output = OutputSpec("Facts", "", SHAPES[shape])
    said = answer(ask("Describe the applicant Ann Lee, 41.", output=output, max_tokens=160))
    assert said.finish == "stop", said.text
    jsonschema.validate(json.loads(said.text), SHAPES[shape])


@real
def test_an_answer_says_what_it_took(loaded: runtime.Runtime) -> None:
    """Tokens, times and the model; it costs nothing."""
    said = answer(ask("Say hello.", max_tokens=8))
    assert said.model == "SmolLM2-135M-Instruct.Q4_1"
    assert said.tokens_in > 10
    assert 0 < said.tokens_out <= 8
    assert 0 < said.first <= said.took
    assert said.usd == 0.0


@real
def test_an_answer_that_was_cut_off_says_so(loaded: runtime.Runtime) -> None:
    """Plain text and JSON alike: what came is there, and the finish is `length`."""
    assert answer(ask("Count from 1 to 100.", max_tokens=4)).finish == "length"
    cut = answer(ask("Describe Ann.", output=OutputSpec("Facts", "", SHAPES["nested"]), max_tokens=3))
    assert (cut.finish, cut.text[:1]) == ("length", "{")


@real
@pytest.mark.parametrize("output", [None, OutputSpec("Letter", "", SHAPES["object"])])
def test_a_turn_with_tools_is_one_call_that_fits_or_an_answer(
    loaded: runtime.Runtime, output: OutputSpec | None
) -> None:
    """Which tool it takes is the model's choice, the shape is not."""
    first = ask("Look up the credit file of Ann.", tools=(CREDIT_FILE, CLOSE_CASE), output=output, max_tokens=120)
    said = answer(first)
    for call in said.calls:
        tool = {tool.name: tool for tool in first.tools}[call.name]
        jsonschema.validate(json.loads(call.arguments), tool.schema)
    assert said.finish == ("tools" if said.calls else "stop")
    back = tuple(Returned(call.id, call.name, '{"score": 700}') for call in said.calls)
    then = answer(Request((*first.messages, said.turn, *back), first.tools, output, 120))
    assert then.finish in ("tools", "stop")
    assert not {call.id for call in said.calls} & {call.id for call in then.calls}


@real
@pytest.mark.parametrize("output", [None, OutputSpec("Facts", "", SHAPES["object"])])
def test_pieces_that_are_told_make_up_the_text(loaded: runtime.Runtime, output: OutputSpec | None) -> None:
    """They come one by one, in order, in the event loop."""
    pieces: list[str] = []
    threads: set[int] = set()

    def tell(piece: str) -> None:
        pieces.append(piece)
        threads.add(threading.get_ident())

    said = play(lambda provider: provider.answer(llm(), ask("Greet Ann.", output=output, max_tokens=60), tell=tell))
    assert "".join(pieces) == said.text
    assert len(pieces) > 2
    assert threads == {threading.get_ident()}


@real
def test_a_listener_that_fails_ends_the_call(loaded: runtime.Runtime) -> None:
    """Its error is not swallowed."""

    def tell(_: str) -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError):
        play(lambda provider: provider.answer(llm(), ask("Tell a story.", max_tokens=500), tell=tell))


@real
def test_six_calls_at_once_leave_the_event_loop_alone(loaded: runtime.Runtime) -> None:
    """More calls than slots: all are answered, and the loop never stands still for long."""
    gaps: list[float] = []

    async def watch() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.001)
            gaps.append(time.monotonic() - last)
            last = time.monotonic()

    async def scene(provider: LocalProvider) -> list[Answer]:
        watching = asyncio.create_task(watch())
        said = await asyncio.gather(
            *(provider.answer(llm(), ask(f"Tell story {at}.", max_tokens=24)) for at in range(6))
        )
        watching.cancel()
        return said

    said = play(scene)
    assert all(one.tokens_out for one in said)
    assert max(gaps) < GAP_MAX


@real
def test_a_cancelled_call_frees_its_slot(loaded: runtime.Runtime) -> None:
    """All slots are taken by stories that nobody waits for any more: the next call does not wait for their ends."""

    async def scene(provider: LocalProvider) -> tuple[int, Answer]:
        begun = [asyncio.Event() for _ in range(runtime.SLOTS)]
        long = ask("Write a novel with very many chapters.", max_tokens=3000)

        def teller(event: asyncio.Event) -> Callable[[str], None]:
            return lambda _: event.set()

        tasks = [asyncio.create_task(provider.answer(llm(), long, tell=teller(event))) for event in begun]
        await asyncio.gather(*(event.wait() for event in begun))
        unfinished = sum(not task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        assert all(
            isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*tasks, return_exceptions=True)
        )
        return unfinished, await provider.answer(llm(), ask("Say hello.", max_tokens=4))

    unfinished, said = play(scene)
    assert unfinished > 0
    assert said.took < 5.0  # one novel alone takes far longer


@real
def test_a_prompt_that_is_too_long_says_by_how_much(loaded: runtime.Runtime) -> None:
    """P703, and asking again does not help."""
    with pytest.raises(LlmFailure, match=rf"has \d+ tokens, \d+ more than the context window of {CONTEXT}") as caught:
        answer(ask("word " * 2 * CONTEXT))
    assert (caught.value.code, caught.value.lasting) == ("P703", True)


@real
def test_weights_are_loaded_once_for_all_providers(loaded: runtime.Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Providers share what is in memory, and the one that closes first does not take it from the other."""
    monkeypatch.setattr(runtime, "Runtime", lambda *_: pytest.fail("loaded a second time"))

    async def scene(first: LocalProvider) -> None:
        second = LocalProvider()
        await asyncio.gather(*(one.answer(llm(), ask("Hi.", max_tokens=2)) for one in (first, second, first)))
        await second.close()
        await first.answer(llm(), ask("Hi.", max_tokens=2))

    play(scene)


@real
def test_a_file_that_only_looks_like_weights_is_refused(tmp_path: Path) -> None:
    """P702 from the runtime's own refusal."""
    fake = tmp_path / "fake.gguf"
    fake.write_bytes(b"GGUF and nothing more")
    with pytest.raises(LlmFailure, match="cannot be loaded") as caught:
        answer(ask("Hi."), model=str(fake))
    assert caught.value.code == "P702"


# Without the model.


def test_texts_lists_numbers_and_open_objects_get_bounds() -> None:
    """So that generation ends."""
    schema = output_schema(
        OutputSpec(
            "X", "", record(a={"type": "string"}, b={"type": "array"}, c={"type": "number"}, d={"type": "object"})
        ),
        100,
    )
    a, b, c, d = schema["properties"].values()
    assert a["maxLength"] == 200
    assert b["maxItems"] == d["maxProperties"] == ITEMS_MAX
    assert c["minimum"] < 0 < c["maximum"]
    assert schema["additionalProperties"] is False


def test_bounds_that_the_schema_has_stay() -> None:
    """Also a least length above what a text would get."""
    asked = record(a={"type": "string", "maxLength": 9}, b={"type": "string", "minLength": 5000}, c={"enum": ["x"]})
    a, b, c = output_schema(OutputSpec("X", "", asked), 100)["properties"].values()
    assert a["maxLength"] == 9
    assert b["maxLength"] == 5000
    assert c == {"enum": ["x"]}


def test_what_the_runtime_does_not_know_is_left_out() -> None:
    """It would hold the model to nothing."""
    asked = {"type": "string", "format": "password", "pattern": "^a(?=b)$", "x-mine": 1, "title": "T"}
    schema = output_schema(OutputSpec("X", "", asked), 100)
    assert schema.keys() == {"type", "maxLength", "$defs", "x-guidance"}


def test_definitions_of_tools_keep_apart() -> None:
    """Two tools and the output may each have an `Id` of their own."""
    output = OutputSpec("Y", "", {"$ref": "#/$defs/Id", "$defs": {"Id": {"type": "boolean"}}})
    schema = choice_schema((CREDIT_FILE, CREDIT_FILE), output, 100)
    assert set(schema["$defs"]) == {"tool0.Id", "tool1.Id", "answer.Id"}
    references = {way["properties"].get("answer", {}).get("$ref") for way in schema["anyOf"]}
    assert "#/$defs/answer.Id" in references


def test_a_schema_that_refers_to_itself_is_bounded_once() -> None:
    """Definitions are rewritten, not written out."""
    node = record(kids={"type": "array", "items": {"$ref": "#/$defs/Node"}})
    schema = output_schema(OutputSpec("X", "", {"$ref": "#/$defs/Node", "$defs": {"Node": node}}), 100)
    assert schema["$defs"]["Node"]["properties"]["kids"]["items"] == {"$ref": "#/$defs/Node"}


def test_messages_alternate_after_one_instruction() -> None:
    """Some templates take nothing else: what a tool returned is told by the user."""
    call = ToolCall("call-1", "close_case", "{}")
    history = (Said("system", "a"), Said("user", "b"), Answered("", (call,)), Returned("call-1", "close_case", "done"),
               Said("user", "c"), Said("system", "d"))  # fmt: skip
    messages = body_of(Request(history, (CLOSE_CASE,)))["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[0]["content"].startswith("a\n\nd")
    assert messages[3]["content"] == "close_case returned: done\n\nc"


def test_an_unknown_setting_is_refused() -> None:
    """P702, with the settings that there are."""
    with pytest.raises(LlmFailure, match="no setting 'temprature'") as caught:
        body_of(ask("Hi.", settings={"temprature": 1}))
    assert "temperature, seed, top_p, stop" in caught.value.fix


def test_an_answer_is_told_from_a_call() -> None:
    """Either is the JSON that `choice_schema` leaves room for."""
    request = ask("Hi.", tools=(CLOSE_CASE,))
    assert answer_of(request, '{"answer":"Hello."}', "stop") == ("Hello.", (), "stop")
    text, calls, finish = answer_of(request, '{"tool":"close_case","arguments":{}}', "stop")
    assert (text, calls, finish) == ("", (ToolCall("call-1", "close_case", "{}"),), "tools")


@pytest.mark.parametrize("finish", ["stop", "length"])
def test_text_where_json_was_asked_for_is_refused(finish: Finish) -> None:
    """The runtime writes whatever it likes, without a word, when it cannot use a schema; half of a JSON is no such case."""
    request = ask("Hi.", output=OutputSpec("Facts", "", SHAPES["object"]))
    with pytest.raises(LlmFailure, match="cannot hold it to the schema"):
        answer_of(request, "```json\n{}", finish)
    assert answer_of(request, '{"name":"An', "length") == ('{"name":"An', (), "length")


def test_weights_that_are_not_installed_name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """P702, for good."""
    monkeypatch.setattr(weights, "PACKAGE", "parti-no-such-weights")
    with pytest.raises(LlmFailure) as caught:
        weights.find_weights("")
    assert (caught.value.code, caught.value.lasting, caught.value.fix) == ("P702", True, "parti local install")


def test_weights_are_found_in_what_their_package_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its list of files: it is not imported."""
    facts = tmp_path / "parti_fake_weights-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: parti-fake-weights\nVersion: 1.0\n", encoding="utf-8")
    (facts / "RECORD").write_text("fake/__init__.py,,\nfake/small.gguf,,\n", encoding="utf-8")
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "__init__.py").write_text("raise ImportError", encoding="utf-8")
    (tmp_path / "fake" / "small.gguf").write_bytes(b"GGUF")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(weights, "PACKAGE", "parti-fake-weights")
    assert weights.find_weights("") == (tmp_path / "fake" / "small.gguf").resolve()


def test_a_path_must_be_that_of_a_gguf_file(tmp_path: Path) -> None:
    """A missing file and another kind of file are told apart."""
    with pytest.raises(LlmFailure, match="No such file"):
        weights.find_weights(str(tmp_path / "none.gguf"))
    other = tmp_path / "other.bin"
    other.write_bytes(b"PK\x03\x04")
    with pytest.raises(LlmFailure, match="is not a GGUF file"):
        weights.find_weights(str(other))


def test_a_missing_runtime_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of `need`, as P702."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(LlmFailure, match="needs the package 'xllamacpp'") as caught:
        runtime.library()
    assert (caught.value.code, caught.value.fix) == ("P702", "pip install 'parti[local]'")


def test_a_model_that_takes_no_8_bits_is_loaded_with_16() -> None:
    """The runtime refuses the first; each try has a socket of its own, gone once the server stands."""
    tried: list[Any] = []

    def serve(wanted: Any) -> Any:
        tried.append((wanted.cache_type_k, Path(wanted.hostnames[0]).parent))
        assert tried[-1][1].is_dir()
        if wanted.cache_type_k == "q8":
            raise RuntimeError("Failed to init server")
        return "server"

    library = MagicMock(Server=serve, ggml_type=SimpleNamespace(GGML_TYPE_Q8_0="q8", GGML_TYPE_F16="f16"))
    assert runtime._serve(library, Path("some.gguf"), 64) == "server"
    assert [kind for kind, _ in tried] == ["q8", "f16"]
    assert not any(folder.exists() for _, folder in tried)
