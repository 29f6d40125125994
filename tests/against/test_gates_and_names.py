"""Against another version, gates and labels are seen, what they decided counts as answered, and a renamed system finds its work."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from against_kit import version

from parti.engine.verdicts import Verdict
from parti.testing import running
from parti.verbs.against import Against, against
from parti.verbs.target import Target

APP = """
from typing import Annotated
from pydantic import BaseModel
from parti import Gate, Label, PartiError, System, sleep

office = System("office", gate=Gate("ask", who="boss"))


class Letter(BaseModel):
    id: Annotated[str, Label.TRUSTED]
    text: Annotated[str, Label.UNTRUSTED]


@office.tool(effect="read")
async def letter(id: str) -> Letter:
    return Letter(id=id, text="eve")


@office.tool(effect="write", key="to", idempotent=True)
async def send(to: str) -> str:
    return "sent"


@office.post("/do", labels=Label.TRUSTED, timeout="9d")
async def do(id: str) -> str:
    try:
        said = await send((await letter(id)).text)
    except PartiError as refused:
        said = refused.code
    if id == "wait":
        await sleep("9d")
    return said


@office.post("/told", labels=Label.TRUSTED, timeout="9d")
async def told(id: str) -> Annotated[str, Label.TRUSTED]:
    return (await letter(id)).text
"""
REFUSES = APP.replace('Gate("ask", who="boss")', 'Gate("refuse")')


def _recorded(folder: Path, text: str) -> Path:
    """The app, beside a store with an ended run and an open one of each kind."""
    from parti.declare.loading import load  # noqa: PLC0415

    folder.mkdir()
    app = folder / "app.py"
    app.write_text(text, encoding="utf-8")
    system = load(app)

    async def main() -> None:
        async with running(system, folder / "office.parti") as live:
            calls = [asyncio.ensure_future(live.call("do", [id])) for id in ("a", "wait")]
            calls += [asyncio.ensure_future(live.call("told", ["a"]))]
            for _ in range(500):
                await asyncio.sleep(0.005)
                asked = [one for one in await live.store.questions() if one.state == "open"]
                entries = [row for run in await live.store.runs() for row in await live.store.journal(run.id)]
                if (len(asked) == 3 or "refuse" in text) and sum(b'"gate"' in one.body for one in entries) == 3:
                    break
            if asked:
                await live.engine.answer(asked[0].id, b"true", by="boss")
                await live.engine.answer(asked[-1].id, b"false", by="boss")
            await asyncio.sleep(0.05)
            for call in calls:
                call.cancel()
                with suppress(BaseException):
                    await call

    asyncio.run(main())
    return app


def _compare(app: Path, *, replay: bool = True) -> Against:
    return against(Target(app), str(app.parent / "old"), replay=replay)


def _beside(app: Path, text: str) -> None:
    (app.parent / "old").mkdir(exist_ok=True)
    (app.parent / "old" / "app.py").write_text(app.read_text(encoding="utf-8"), encoding="utf-8")
    app.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("text", [APP, REFUSES])
def test_runs_that_met_a_gate_replay_by_the_same_code_as_they_went(tmp_path: Path, text: str) -> None:
    app = _recorded(tmp_path / "app", text)
    _beside(app, text)
    found = _compare(app)
    assert [
        (one.part, one.verdict, one.replayed) for one in found.standings if one.verdict is not Verdict.RESUMES
    ] == []
    assert len(found.standings) == 3


def test_a_refusal_that_the_new_code_never_comes_to_is_left_over(tmp_path: Path) -> None:
    app = _recorded(tmp_path / "app", REFUSES)
    _beside(app, REFUSES.replace("said = await send((await letter(id)).text)", "said = (await letter(id)).text"))
    said = [one.replayed for one in _compare(app).standings if one.part == "do"]
    assert all("the refusal of `send`" in one for one in said), said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('gate=Gate("ask", who="boss")', 'labels="off"', "labels of `office` changed from auto to off"),
        ('gate=Gate("ask", who="boss")', 'gate=Gate("refuse")', "gate of `office` changed from"),
        ('who="boss"', 'who="ceo"', "gate of `office` changed from"),
        ('gate=Gate("ask", who="boss")', 'responsible="boss"', "gate of `office` changed from"),
        ("text: Annotated[str, Label.UNTRUSTED]", "text: str", "returns of `letter` changed in its labels"),
        ('key="to", idem', 'clearance=Label.UNTRUSTED, key="to", idem', "clearance of `send` changed"),
        ('key="to", idem', 'control=["to"], key="to", idem', "control of `send` changed"),
        ('key="to", idem', 'gate=Gate("refuse"), key="to", idem', "gate of `send` changed"),
    ],
)
def test_a_change_of_gates_and_labels_is_told_and_strands_nothing(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    from parti.verbs.against import compare  # noqa: PLC0415

    old = version(APP, tmp_path / "old")
    assert before in APP
    new = version(APP.replace(before, after), tmp_path / "new")
    changes = [
        str(change) for change in compare(new.design, old.sketch, new.sketch, None, replay=False).changes.changes
    ]
    assert any(change.startswith(said) for change in changes), changes


def test_what_a_gate_decided_stays_when_gates_are_taken_away(tmp_path: Path) -> None:
    app = _recorded(tmp_path / "app", APP)
    _beside(app, APP.replace('gate=Gate("ask", who="boss")', 'labels="off"'))
    found = _compare(app)
    assert {one.verdict for one in found.standings} == {Verdict.RESUMES}, found.standings


@pytest.mark.parametrize("replay", [False, True])
def test_a_renamed_system_leaves_its_open_runs_behind_and_is_told_so(tmp_path: Path, replay: bool) -> None:
    app = _recorded(tmp_path / "app", APP)
    _beside(app, APP.replace('System("office"', 'System("bureau"'))
    found = _compare(app, replay=replay)
    assert str(found.changes.changes[0]) == "system `office` is called `bureau` now"
    opened = [one for one in found.standings if one.open]
    assert opened
    assert {one.verdict for one in opened} == {Verdict.MIGRATE}
    assert "it lies in office.parti, and `bureau` would open bureau.parti" in opened[0].concerns[0].why
    named = against(Target(app, app.parent / "office.parti"), str(app.parent / "old"))
    assert Verdict.MIGRATE not in {one.verdict for one in named.standings}, "the store was named"
