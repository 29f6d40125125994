"""Ciw on the same networks."""

from __future__ import annotations

from functools import partial

import ciw

from bench.queues import BACK, EVENTS_PER_VISIT, SERVERS, SERVICE, arguments, measured, rates
from bench.subject import report

SETTINGS = "create_network, Simulation.simulate_until_max_time; latency from all records"


def once(kind: str, rate: float, seconds: float, seed: int) -> tuple[int, float]:
    """Model events and mean latency of one run."""
    back = BACK if kind == "loop" else 0.0
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate), None, None],
        service_distributions=[ciw.dists.Exponential(1.0 / SERVICE)] * 3,
        number_of_servers=[SERVERS] * 3,
        routing=[[0.0, 1.0, 0.0], [back, 0.0, 1.0 - back], [0.0, 0.0, 0.0]],
    )
    ciw.seed(seed)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(seconds)
    records = simulation.get_all_records()
    spent: dict[int, float] = {}
    for record in records:
        spent[record.id_number] = spent.get(record.id_number, 0.0) + record.waiting_time + record.service_time
    return EVENTS_PER_VISIT * len(records), sum(spent.values()) / len(spent)


def main() -> None:
    """Measure and report."""
    asked = arguments()
    figures = measured(asked.kind, asked.seconds, partial(once, asked.kind, rates()[asked.kind]))
    report(figures, settings=SETTINGS, packages=("ciw",))


if __name__ == "__main__":
    main()
