"""Tainting: which labels a run has read, said in its journal; and where its values came from, where a gate traces them.

Both follow from what the journal answers, in whatever order: a run that is taken up again starts with all that it ever read.
Systems without labels pay for one comparison a step, and journal nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from parti.design.agent import Agent
from parti.design.endpoint import Endpoint
from parti.design.guard import Guard
from parti.design.handler import Handler
from parti.design.labels import Label, Labelled, Tags
from parti.design.memory import Episode
from parti.design.step import Step
from parti.design.table import Table
from parti.design.tool import Tool
from parti.design.topic import Topic
from parti.engine import echoing, gates, making, veiling
from parti.errors import RunError
from parti.journal.entries import Kind
from parti.trust.taint import Quarantine, Taint
from parti.trust.trail import Naming, Trail

if TYPE_CHECKING:
    from parti.engine.activation import Activation
    from parti.engine.context import RunContext


def mark(context: RunContext, part: str, tags: Tags) -> None:
    """Note that what has these labels was read by the part."""
    run = context.run
    if run.taint is None or not tags:
        return
    if context.quarantine is not None:
        tags = context.quarantine.keep(part, tags)
    fresh = run.taint.add(part, tags)
    if fresh:
        run.note(Kind.TAINT, context.path, part, "", run.services.clock.now(), 0.0, b"null", to_json(fresh))


def read(context: RunContext, part: str) -> None:
    """Note that the run was given what the part gives or stores."""
    labelling = context.run.services.labelling
    if labelling is not None:
        mark(context, part, labelling.tags(part))


def begun(context: RunContext) -> RunContext:
    """The context of a run that begins, with what it is given noted as read, once its journal was read."""
    run = context.run
    labelling, runner = run.services.labelling, run.runner
    if run.taint is None or labelling is None:
        return context
    if run.recorded:
        run.taint.restore(run.recorded.tainted)
    veiling.begin(run)
    echoing.begin(run)
    labelled: Labelled = ()
    if isinstance(runner, Endpoint):
        labelled = labelling.taken.get(runner.name, ())
    elif isinstance(runner, Handler):
        labelled = labelling.gives.get(runner.topic, ())
    where = runner.topic if isinstance(runner, Handler) else runner.name
    mark(context, where, frozenset(tag for _, tag in labelled))
    if not labelling.traces and run.veil is None and run.echoes is None:
        return context
    context.trail = Trail() if labelling.traces else None
    for parameter, value in zip(runner.function.parameters, run.value, strict=True):
        own = labelled if isinstance(runner, Handler) else _below(labelled, parameter.name)
        veiling.learn_input(run, where, parameter.payload.kind, value, own)
        echoing.learn_input(run, where, parameter.payload.kind, value, own)
        if context.trail is not None:
            context.trail.learn(where, parameter.payload.kind, value, own, named=True, task=True)
    return context


def _below(labelled: Labelled, name: str) -> Labelled:
    """The labels of one argument, by the paths in it."""
    found = []
    for path, tag in labelled:
        first, _, rest = path.partition(".")
        if first in ("", name):
            found.append((rest, tag))
    return tuple(found)


async def let_out(context: RunContext, answer: Any) -> Any:
    """What of that which the function returned may go where it goes. Raises StepFailed (P901, P902, P903)."""
    runner = context.run.runner
    if isinstance(runner, Endpoint):
        return await gates.at_answer(context, runner, answer)
    if isinstance(runner, Handler) and runner.to and answer is not None:
        return await gates.at_topic(context, context.run.services.design.get(Topic, runner.to), answer)
    return answer


async def make(context: RunContext, part: Step | Tool, arguments: tuple[Any, ...]) -> Any:
    """Make a call where labels are held: past the gate, and with what it answers or how it fails noted."""
    approved = False
    if type(part) is Tool:
        arguments, approved = await gates.at_tool(context, part, arguments)
    trail, source = context.trail, (part.server if isinstance(part, Tool) else "") or part.name
    named = trail is not None and _naming(context, trail, part, arguments)
    around, uses = context.quarantine, context.uses
    if isinstance(part, Guard):
        context.quarantine = Quarantine(frozenset(part.releases), around)
    try:
        value = await making.make(context, part, arguments, approved=approved)
    except RunError as failed:
        context.quarantine = around
        replayed(context, uses)
        _failed(context, part, source, failed)
        if isinstance(part, Guard):
            mark(context, source, frozenset(part.releases))  # a failure is not bounded as its answers are
        raise
    finally:
        context.quarantine = around
    replayed(context, uses)
    read(context, source)
    veiling.learn(context.run, part, value)
    echoing.learn(context.run, part, value)
    labelling = context.run.services.labelling
    if trail is not None and labelling is not None:
        labelled = labelling.fields.get(source, ())
        trail.learn(source, part.function.returns.kind, value, labelled, named=named)
    return value


OUR_WORDS: Final = frozenset(
    {"P301", "P303", "P304", "P305", "P306", "P309", "P310", "P311", "P312", "P709", "P901", "P902", "P903"}
)
"""Codes of failures that the engine words itself."""


def _failed(context: RunContext, part: Step | Tool, source: str, failed: RunError) -> None:
    """Note as UNTRUSTED what a tool failed with: nothing bounds its words, and its answer's type does not say whose they are.

    A tool whose `labels` say TRUSTED is believed in its failures, too. What the engine says of a call is nothing that was read.
    """
    if failed.code in OUR_WORDS:
        return
    read(context, source)
    trusted = not isinstance(part, Tool) or bool(part.server) or ("", Label.TRUSTED) in (part.labels or ())
    if not trusted:
        mark(context, source, frozenset({Label.UNTRUSTED}))
        echoing.learn_input(context.run, f"{source}.error", str, failed.what, (("", Label.UNTRUSTED),))


def replayed(context: RunContext, uses: int, agent: Agent | None = None) -> None:
    """Know by now that something untrusted was read inside a call (the so-manieth of its branch), if the journal says it was.

    What the journal answers is not called again, so that what it had read is not read again either.
    """
    run = context.run
    if run.taint is not None and run.recorded and not run.taint.untrusted:
        branch = run.recorded.tainted_in.get(Label.UNTRUSTED, "")
        inside = f"{context.path}/{uses}"
        run.taint.untrusted = branch == inside or branch.startswith((f"{inside}/", f"{inside}."))
        if agent is not None and run.services.labelling is not None:  # another may have been the first to read it
            may = run.services.labelling.context.get(agent.name, frozenset())
            run.taint.untrusted |= Label.UNTRUSTED in may and Label.UNTRUSTED in run.taint.held


def _naming(context: RunContext, trail: Trail, part: Step | Tool, arguments: tuple[Any, ...]) -> bool | Naming:
    """Whether nobody but the task chose what a call is about; asked before the call, as what it answers comes after."""
    kinds = [one.payload.kind for one in part.function.parameters]
    if context.run.taint is not None and not context.run.taint.untrusted:
        held = frozenset(context.run.taint.with_those(context.quarantine).held)
        for kind, value in zip(kinds, arguments, strict=True):
            trail.chosen(kind, value, held)
        return True
    return trail.naming(kinds, arguments)


def read_row(context: RunContext, table: Table, key: str, row: Any) -> Any:
    """The row, noted as read."""
    if row is None or context.run.taint is None:
        return row
    labelling, trail = context.run.services.labelling, context.trail
    named = not context.run.taint.untrusted or (trail is not None and trail.naming([str], [key]))
    read(context, table.name)
    veiling.learn(context.run, table, row)
    echoing.learn(context.run, table, row)
    if trail is not None and labelling is not None:
        trail.learn(table.name, table.payload.kind, row, labelling.fields.get(table.name, ()), named=named)
    return row


def read_rows(context: RunContext, table: Table, rows: Sequence[Any]) -> None:
    """Note rows as read. Which of them is taken is a choice: none is named."""
    labelling, trail = context.run.services.labelling, context.trail
    read(context, table.name)
    for row in rows if labelling is not None else ():
        veiling.learn(context.run, table, row)
        echoing.learn(context.run, table, row)
    for row in rows if trail is not None and labelling is not None else ():
        trail.learn(table.name, table.payload.kind, row, labelling.fields.get(table.name, ()), named=False)  # type: ignore[union-attr]


def read_episodes(context: RunContext, found: Sequence[Episode]) -> None:
    """Note earlier runs as read: what they answered, or failed of, may be whatever there is in the system."""
    labelling = context.run.services.labelling
    if labelling is not None:
        every = [*labelling.fields.values(), *labelling.taken.values()]
        tags = frozenset(tag for labelled in every for _, tag in labelled)
        mark(context, found[0].part, tags)
        veiling.learn_episodes(context.run, found, tags)


def task_trail(context: RunContext, agent: Agent, task: str) -> Trail | None:
    """The trail of an agent's work: its task is trusted if nothing untrusted was read before, or if it can be traced."""
    run = context.run
    if context.trail is None or run.taint is None:
        return context.trail
    trail = Trail(context.trail)
    trail.learn_task(f"the task of {agent.name}", task, trusted=not run.taint.untrusted, held=frozenset(run.taint.held))
    return trail


def read_session(context: RunContext, agent: Agent, journaled: dict[str, str] | None, *, any_said: bool) -> None:
    """Note what an agent's earlier runs under this key had read; all that it might have, where they did not say."""
    run = context.run
    if run.taint is None or run.services.labelling is None or not any_said:
        return
    if journaled is None:
        mark(context, agent.name, run.services.labelling.context.get(agent.name, frozenset()))
        return
    before = Taint()
    before.restore(journaled)
    for tag, part in before.held.items():
        mark(context, part, frozenset({tag}))


def of_session(run: Activation) -> dict[str, str] | None:
    """What a session is kept with: all that the run has read. None where labels are not held."""
    return None if run.taint is None else {str(tag): part for tag, part in sorted(run.taint.held.items(), key=str)}
