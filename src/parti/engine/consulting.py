"""Consulting a language model: its answer is written at once, and only that of the last instant is ever paid twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from parti.design.budget import Cost
from parti.design.labels import Labelled
from parti.design.llm import Llm
from parti.design.payload import Payload
from parti.engine import gates, masking, veiling
from parti.engine.accounts import Amount
from parti.engine.activation import Unwinding
from parti.engine.budgets import settle
from parti.engine.serving import Timed
from parti.engine.steps import as_answer, as_failure, counted, measured, reserve_or_fail, rewind
from parti.errors import DeclarationError, LlmError, PayloadError, StepFailed
from parti.journal.entries import Entry, Kind
from parti.journal.identity import step_digest
from parti.ports.llm import Answer, Llms, Request, Said, Tell
from parti.ports.outputs import output_spec, value_in
from parti.trust.masking import Uncovering

if TYPE_CHECKING:
    from parti.engine.context import RunContext


async def consult(
    context: RunContext, llm: Llm, request: Request, digest: str, shown: bytes, tell: Tell | None,
    labels: Labelled = (),
) -> Answer:  # fmt: skip
    """See ports.context.Context. `labels` are those of the output's type."""
    run = context.run
    known = run.recorded.take(context.path, llm.name, digest) if run.recorded else None
    if known and known.kind == Kind.FAIL:
        raise as_failure(known.answer)
    if known:
        return _again(known, tell)
    own, given = await gates.at_llm(context, llm, digest, request) if gates.any_asked(run) else (llm, request)
    is_masked = given is not request
    telling = Uncovering(tell, run.veil) if is_masked and tell is not None and run.veil is not None else None
    llms = all_of(run.services.llms)
    most = _most(context, llm, digest, shown, *llms.reserve_for(own, given)) if context.account else None
    held: Amount | None = None

    async def reserved() -> None:
        nonlocal held
        held = reserve_or_fail(context, llm, digest, shown, most)
        if held is not None and held.is_money:
            await run.fence()

    async def again() -> None:
        """The request before may have been paid: it counts in full, and another is reserved for. It is one step."""
        settle(context, llm, digest, held, None, returned=False, steps=0)
        await reserved()

    await counted(context, reserved())
    timed = Timed(began=run.services.clock.now())
    key = run.record.tenant, run.key
    try:
        asked = llms.answer(own, given, key=key, tell=telling or tell, again=again, waited=timed.add)
        answer: Answer = await counted(context, asked)
    except LlmError as error:
        settle(context, llm, digest, held, None if error.paid else Cost(), returned=not error.paid)
        failure = StepFailed(error.code, error.what, place=llm.place, fix=error.fix, kind="parti.errors.LlmError")
        at, took, more = measured(run, 0.0, timed)
        run.note(Kind.FAIL, context.path, llm.name, digest, at, took, shown, as_answer(failure), more)
        raise failure from error
    except asyncio.CancelledError:
        steps = 1 if run.unwinding is Unwinding.NO else 0
        settle(context, llm, digest, held, None, returned=False, steps=steps)  # it may have been paid
        raise
    settle(context, llm, digest, held, Cost(answer.usd or 0.0, answer.tokens_in + answer.tokens_out))
    if is_masked:
        answer = masking.restored(context, answer, labels)
    if telling is not None:
        telling.end()
    at, took, more = measured(run, 0.0, timed)
    run.note(Kind.STEP, context.path, llm.name, digest, at, took, shown, answer.as_json(), more)
    run.flush()  # now, not in a moment: a crash meanwhile would have it paid twice
    if run.services.replay_each:
        await rewind(context)
    return answer


def _most(context: RunContext, llm: Llm, digest: str, shown: bytes, usd: float | None, tokens: int) -> Cost:
    """The most that a call may cost. A budget of dollars refuses, with P710, what has no price: nothing would bound it."""
    account = context.account
    if usd is None and account is not None and account.limits_usd:
        what = f"nobody knows what `{llm.name}`, or a fallback of it, costs, and a budget of dollars bounds it"
        fix = "declare price=Price(input=…, output=…), of 0 where it costs nothing; or bound tokens="
        failure = StepFailed("P710", what, place=llm.place, fix=fix, kind="parti.errors.LlmError")
        now = context.run.services.clock.now()
        context.run.note(Kind.FAIL, context.path, llm.name, digest, now, 0.0, shown, as_answer(failure))
        raise failure
    return Cost(usd or 0.0, tokens)


def _again(known: Entry, tell: Tell | None) -> Answer:
    """An answer out of the journal; it is told in one piece."""
    answer = Answer.of_json(known.answer)
    if tell is not None and answer.text:
        tell(answer.text)
    return answer


async def ask(context: RunContext, llm: Llm, prompt: str, output: Payload, system: str) -> Any:
    """The answer to one prompt. An answer that does not fit is a failure (P704), which is not journaled: the answer is."""
    said = (Said("system", system), Said("user", prompt)) if system else (Said("user", prompt),)
    request = Request(said, (), output_spec(output), llm.max_tokens, llm.settings)
    shown = to_json([system, prompt, output.name])
    answer = await consult(
        context, llm, request, step_digest(shown + output.digest.encode()), shown, None, output.labels
    )
    try:
        value = value_in(output, answer.text)
    except PayloadError as misfit:
        cut = f", cut off after {answer.tokens_out} tokens" if answer.finish == "length" else ""
        raise StepFailed(
            "P704",
            f"`{llm.name}` gave no valid {output.name}{cut}: {misfit.what}",
            place=llm.place,
            fix="let an agent ask, which gives it back for repair; or raise max_tokens=",
            kind="parti.errors.PayloadError",
        ) from misfit
    veiling.learn(context.run, llm, value)
    return value


def all_of(llms: Llms | None) -> Llms:
    """The models, or P110 where none can be asked."""
    if llms is None:
        raise DeclarationError("P110", "asking language models needs pydantic-ai-slim", fix="pip install parti")
    return llms
