"""The station of a language model against a simulation that goes token by token."""

from __future__ import annotations

import numpy as np
import pytest

from parti.sim.arrivals import load_of
from parti.sim.distributions import Constant, Exponential, Gamma
from parti.sim.load import Load, Poisson
from parti.sim.network import Choice, Llm, Network, Retry, Station
from parti.sim.result import Outcome
from parti.sim.simulating import simulate

LLM = Llm(6, Exponential(300.0), Gamma(40.0, 1.2), 0.004, 0.0001, 0.012, 0.0009)


def of(llm: Llm, replicas: int = 1, **more: object) -> Network:
    return Network((Station("model", llm, replicas, **more),), "model")  # type: ignore[arg-type]


def drawn(llm: Llm, load: Load, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The tokens of each request's prompt and output: alone on a machine whose clock counts them."""
    alone = Load(np.arange(len(load)) * 1e6)
    prompts = Llm(1, llm.prompt, llm.output, prefill_seconds_per_token=1.0)
    outputs = Llm(1, llm.prompt, llm.output, step_seconds=1.0)
    read = simulate(of(prompts), alone, seed=seed)
    write = simulate(of(outputs), alone, seed=seed)
    return np.rint(read.left - read.arrived).astype(int), np.rint(write.left - write.arrived).astype(int) + 1


def token_by_token(llm: Llm, arrived: np.ndarray, prompts: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """When each request ends on one engine, one step after the other."""
    left = np.full(len(arrived), np.nan)
    waiting, active, now, following = [], {}, 0.0, 0
    while np.isnan(left).any():
        if not waiting and not active:
            now = max(now, arrived[following])
        while following < len(arrived) and arrived[following] <= now:
            waiting.append(following)
            following += 1
        if waiting and len(active) < llm.slots:
            request = waiting.pop(0)
            now += llm.prefill_seconds + prompts[request] * llm.prefill_seconds_per_token
            active[request] = outputs[request] - 1
        elif active:
            now += llm.step_seconds + len(active) * llm.step_seconds_per_sequence
            active = {request: tokens - 1 for request, tokens in active.items()}
        for request in [request for request, tokens in active.items() if tokens == 0]:
            left[request] = now
            del active[request]
    return left


@pytest.mark.parametrize("rate", [0.5, 2.0, 6.0])
@pytest.mark.parametrize("kernel", ["stages", "events"])
def test_stretches_of_steps_are_the_same_as_token_by_token(rate: float, kernel: str) -> None:
    """From hardly used to past what it can do."""
    load = load_of(Poisson(rate), seconds=300 / rate, seed=4)
    simulated = simulate(of(LLM), load, seed=9, kernel=kernel)  # type: ignore[arg-type]
    prompts, outputs = drawn(LLM, load, 9)
    np.testing.assert_allclose(simulated.left, token_by_token(LLM, load.arrived, prompts, outputs), rtol=1e-9)


def test_two_engines_do_twice_as_much_as_one() -> None:
    """At 9 requests a second one engine, which can do 6.8, falls behind for ever; two keep up."""
    load = load_of(Poisson(9.0), seconds=300, seed=4)
    one, two = (simulate(of(LLM, replicas), load, seed=9) for replicas in (1, 2))
    assert one.quantile(0.5) > 20 > 2 > two.quantile(0.5)
    assert two.use()["model"] < 0.9 < 0.95 < one.use()["model"]


def test_a_queue_of_slots_would_mispredict_the_tail() -> None:
    """Fewer sequences at once are each written faster, which independent slots do not know."""
    load = load_of(Poisson(3.0), seconds=2000, seed=4)
    simulated = simulate(of(LLM), load, seed=9, warmup=100)
    assert simulated.parts
    slots = Network((Station("model", Constant(float(simulated.parts.service.mean())), LLM.slots),), "model")
    assert abs(simulate(slots, load, seed=9, warmup=100).quantile(0.99) / simulated.quantile(0.99) - 1) > 0.18


def test_a_prompt_grows_with_every_visit() -> None:
    """An agent's conversation: with 100 tokens more each time, the second visit reads 100 tokens longer."""
    growing = Llm(1, Constant(10), Constant(1), prefill_seconds_per_token=1.0, prompt_growth=100)
    network = Network(
        (Station("model", growing), Station("tool", Constant(0.0))),
        "model",
        {"model": Choice((("tool", 0.5), ("", 0.5))), "tool": Choice((("model", 1.0),))},
    )
    simulated = simulate(network, Load(np.arange(20) * 1e6), seed=1)
    visits = {round(each) for each in (simulated.left - simulated.arrived)}
    expected = {sum(10 + 100 * earlier for earlier in range(number)) for number in range(1, 10)}
    assert visits <= expected
    assert len(visits) > 2


def test_a_cancelled_sequence_gives_its_slot_back_after_the_step() -> None:
    """Two requests, one slot; the first is given up after 1 s of a long text, and the second begins with the next step."""
    long = Llm(1, Constant(0), Constant(101), step_seconds=0.3)
    network = of(long, retry=Retry(timeout=1.0))
    simulated = simulate(network, Load(np.array([0.0, 0.9])), seed=1)
    assert simulated.outcome.tolist() == [2, 2]
    assert simulated.left == pytest.approx([1.0, 1.9])
    # it is written from 1.2 s, the end of the first one's fourth step, until it is given up as well
    assert simulated.totals.busy[0] == pytest.approx(1.0 - 0.1, abs=0.2)


def test_an_hour_of_requests_is_simulated_in_stretches_not_tokens() -> None:
    """3,600 s at 3 requests a second are over 400,000 tokens, and three events a request."""
    load = load_of(Poisson(3.0), seconds=3600, seed=4)
    simulated = simulate(of(LLM), load, seed=9, parts=False)
    assert simulated.events == 3 * len(load)
    assert simulated.share(Outcome.DONE) == 1.0
