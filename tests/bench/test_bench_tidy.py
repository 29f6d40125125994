"""The benchmark harness: it parses, measures, reports, and every scenario runs in a tiny size."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import json
import sys

import pytest
from bench.__main__ import parse
from bench.load import read_answer as read_http_answer
from bench.load import request
from bench.machine import machine, warnings
from bench.process import measure, median, read_answer
from bench.report import failures, markdown, show, write
from bench.scenarios import AGENTS, ALONE, KEYS, SUBJECTS, Bench
from bench.subject import check
from bench.timing import Timing, percentile, runs_for, time_runs, time_threads
from bench.venv import REQUIREMENTS, Environment, peers_environment
from rich.console import Console

TINY = ("--seconds", "0.02")
SCENARIOS = {
    "floor": ("bench.floor", TINY, "steps_per_second"),
    "runs": ("bench.parti_runs", ("--concurrency", "8", *TINY), "journal_bytes_per_step"),
    "fenced runs": ("bench.parti_runs", ("--fenced", *TINY), "steps_per_second"),
    "agents": ("bench.parti_agents", ("--concurrency", "4", *TINY), "steps_per_second"),
    "agents over pydantic": ("bench.parti_agents", ("--through", "pydantic", *TINY), "steps_per_second"),
    "agents not durable": ("bench.pydantic_agents", ("--through", "agent", *TINY), "steps_per_second"),
    "agents floor": ("bench.pydantic_agents", ("--through", "floor", *TINY), "steps_per_second"),
    "events": ("bench.parti_events", TINY, "events_per_second"),
    "memory": ("bench.parti_memory", ("--events", "200"), "resident_mib"),
    "hello": ("bench.hello", ("--concurrency", "4", *TINY), "requests_per_second"),
    "http get": ("bench.parti_http", ("--kind", "get", "--concurrency", "4", *TINY), "p99_ms"),
    "http post": ("bench.parti_http", ("--kind", "post", "--concurrency", "4", *TINY), "p99_ms"),
    "conversation": ("bench.parti_conversation", ("--turns", "40", "--attempts", "1"), "resume_ms"),
    "conversation of runs": (
        "bench.parti_conversation", ("--kind", "session", "--turns", "40", "--attempts", "1"), "journal_bytes_per_turn",
    ),
    "simulation of a row": ("bench.parti_simulation", TINY, "model_events_per_second"),
    "simulation of a loop": ("bench.parti_simulation", ("--kind", "loop", *TINY), "model_events_per_second"),
    "simulation with retries": ("bench.parti_simulation", ("--kind", "retries", *TINY), "model_events_per_second"),
    "labels": ("bench.parti_labels", ("--rounds", "1", "--runs", "50"), "labels_run_cpu_us"),
    "check": ("bench.parti_check", ("--attempts", "1", "--links", "2"), "check_ms"),
    "start": ("bench.parti_start", ("--attempts", "1"), "up_to_first_run_ms"),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_measures_something(name, tmp_path):
    module, options, figure = SCENARIOS[name]
    figures = measure(sys.executable, module, options, scratch=tmp_path)
    assert "error" not in figures, figures
    assert figures[figure] > 0
    assert figures["settings"]
    assert not list(tmp_path.iterdir()), "the scenario's directory is removed"


def test_memory_holds_every_event_back(tmp_path):
    figures = measure(sys.executable, "bench.parti_memory", ("--events", "200"), scratch=tmp_path)
    assert figures["events_waiting"] == 200


def test_every_subject_and_scenario_names_a_module_and_pinned_packages():
    pinned = {
        name: {line.split("==")[0] for line in file.read_text(encoding="utf-8").splitlines() if "==" in line}
        for name, file in REQUIREMENTS.items()
    }
    for part in (*SUBJECTS, *AGENTS, *ALONE):
        assert importlib.util.find_spec(part.module), part.module
    for subject in (*SUBJECTS, *AGENTS):
        assert pinned[subject.environment].issuperset(subject.packages), subject.name


def test_everything_is_measured_unless_told_otherwise():
    assert tuple(parse([]).only) == KEYS
    assert parse([]).concurrency == [1, 64, 512]


def test_an_unknown_subject_is_misuse(capsys):
    with pytest.raises(SystemExit) as ended:
        parse(["--only", "nothing"])
    assert ended.value.code == 2
    assert "nothing" in capsys.readouterr().err


def test_percentiles_are_nearest_ranks():
    numbers = [float(number) for number in range(1, 101)]
    assert percentile(numbers, 0.50) == 50
    assert percentile(numbers, 0.99) == 99
    assert percentile([7.0], 0.99) == 7


def test_runs_are_numbered_apart_and_as_many_as_reported():
    seen = []

    async def run(number: int) -> None:
        seen.append(number)
        await asyncio.sleep(0)

    timing = asyncio.run(time_runs(run, concurrency=3, seconds=0.001))
    assert len(set(seen)) == len(seen)
    assert timing.runs == len(timing.latencies) <= len(seen)


def test_a_failure_in_a_thread_is_not_lost():
    def run(number: int) -> None:
        check(number + 4, number)

    with pytest.raises(AssertionError, match="five steps"):
        time_threads(run, concurrency=2, seconds=0.001)


def test_a_slow_subject_is_not_measured_for_ever():
    warm = Timing(runs=16, seconds=1.6, cpu_seconds=1.0, latencies=[])
    assert runs_for(warm, 512, 3.0) == 120
    assert runs_for(warm, 4, 3.0) == 30


def test_the_last_words_of_a_failed_process_are_kept():
    assert (
        read_answer(1, "", "Traceback\nValueError: no disk\n")["error"] == "it ended with status 1: ValueError: no disk"
    )
    assert read_answer(0, "", "")["error"].endswith("it printed nothing")
    assert read_answer(0, 'some noise\n{"runs": 3}\n', "") == {"runs": 3}


def test_the_median_keeps_the_range_and_says_which_rounds_failed():
    rounds = [{"steps_per_second": value, "settings": "s"} for value in (9.0, 1.0, 2.0)] + [{"error": "it broke"}]
    joined = median(rounds)
    assert joined["steps_per_second"] == 2
    assert (joined["steps_per_second_low"], joined["steps_per_second_high"]) == (1, 9)
    assert failures([{"subject": "DBOS", **joined}]) == ["DBOS: 1 rounds failed (it broke)."]
    assert median([{"error": "it broke"}]) == {"error": "it broke"}


def test_a_peer_that_cannot_be_installed_is_said_plainly(tmp_path):
    environment = Environment(tmp_path / "python", {"dbos==0.0.0": "no matching distribution"})
    bench = Bench(tmp_path, {"peers": environment}, lambda _: None, rounds=1, concurrencies=(1,), only=("dbos",))
    [row] = bench.compare()
    assert row["error"] == "dbos==0.0.0 could not be installed: no matching distribution"
    assert "not measured: dbos==0.0.0 could not be installed" in markdown(results(tmp_path, runs=[row]))


def test_an_environment_of_the_same_pins_is_not_built_again(tmp_path, monkeypatch):
    pins = tmp_path / "requirements.txt"
    pins.write_text("# a comment\n", encoding="utf-8")
    said: list[str] = []
    commands: list[list[str]] = []
    home = tmp_path / "venv"

    class Done:
        returncode, stderr = 0, ""

    def fake_run(command, **_):
        commands.append(command)
        home.mkdir(exist_ok=True)
        return Done()

    monkeypatch.setattr("bench.venv.subprocess.run", fake_run)
    peers_environment(said.append, home=home, requirements=pins)
    built = len(commands)
    peers_environment(said.append, home=home, requirements=pins)
    assert len(commands) == built > 0
    pins.write_text("one==1\n", encoding="utf-8")
    peers_environment(said.append, home=home, requirements=pins)
    assert len(commands) > built


def results(directory, *, runs=(), agents=(), alone=()):
    facts = {**machine(directory), "load_before": 9.0, "load_after": 9.0}
    return {
        "when": "2026-01-01", "machine": facts, "warnings": warnings(facts), "rounds": 1, "runs": list(runs),
        "agents": list(agents), "alone": list(alone),
    }  # fmt: skip


def test_results_are_shown_and_written_with_settings_and_warnings(tmp_path):
    figures = Timing(10, 1.0, 0.5, [0.1] * 10).figures()
    row = median([{**figures, "steps_per_second": 50.0, "settings": "WAL", "versions": {"dbos": "3"}}])
    made = results(
        tmp_path,
        runs=[{"subject": "slow", "concurrency": 1, "error": "it broke"}, {"subject": "DBOS", "concurrency": 1, **row}],
        agents=[{"subject": "AutoGen", "concurrency": 1, **row, "settings": "a row after each turn"}],
        alone=[{"scenario": "start", "import_ms": 90.0, "settings": "fresh", "versions": {}}],
    )
    write(made, tmp_path)
    page = (tmp_path / "latest.md").read_text(encoding="utf-8")
    shown = io.StringIO()
    show(made, Console(file=shown, width=200))
    for text in (page, shown.getvalue()):
        assert "not measured: it broke" in text
        assert "`import parti` 90 ms" in text
        assert "lower bounds" in text
    assert "- **DBOS**: WAL (dbos 3)" in page
    assert "- **AutoGen**: a row after each turn (dbos 3)" in page
    assert page.index("| DBOS") < page.index("| slow"), "what failed comes last"
    assert json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))["runs"][1]["steps_per_second"] == 50


def test_the_load_client_reads_whole_answers_only():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    assert read_http_answer(answer[:-1]) is None
    assert read_http_answer(answer) == (200, b"ok")
    with pytest.raises(ValueError, match="without Content-Length"):
        read_http_answer(b"HTTP/1.1 200 OK\r\n\r\n")


def test_requests_carry_their_number_and_the_length_of_their_body():
    sent = request("POST", "/orders/{n}", '{"id":{n}}', 12, 80)
    assert sent.startswith(b"POST /orders/12 HTTP/1.1\r\n")
    assert sent.endswith(b'Content-Length: 9\r\n\r\n{"id":12}')
