"""The peers' own environments, `.venv-bench…`: each is built once for its list of pinned versions."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).parent / "peers"
REQUIREMENTS = {
    "peers": PEERS / "requirements.txt",
    "crewai": PEERS / "crewai.txt",
    "simulation": PEERS / "simulation.txt",
}
"""The pins of each environment. CrewAI has one of its own: it wants other versions of Pydantic and aiosqlite."""
HOMES = {
    "peers": ROOT / ".venv-bench",
    "crewai": ROOT / ".venv-bench-crewai",
    "simulation": ROOT / ".venv-bench-simulation",
}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Environment:
    """Its interpreter, and for each requirement that could not be installed the reason."""

    python: Path
    missing: dict[str, str]

    def lacks(self, packages: Sequence[str]) -> str:
        """Why a peer that needs `packages` cannot run, or ""."""
        return "; ".join(
            f"{pin} could not be installed: {why}"
            for pin, why in self.missing.items()
            if pin.split("==")[0] in packages
        )


def peers_environments(say: Say, names: Iterable[str]) -> dict[str, Environment]:
    """The environments of those names, built where they have to be."""
    return {name: peers_environment(say, home=HOMES[name], requirements=REQUIREMENTS[name]) for name in names}


def peers_environment(say: Say, *, home: Path, requirements: Path) -> Environment:
    """One environment, built when it is missing or was built from other pins. Never raises for a failed install."""
    pins = [line.strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    pins = [pin for pin in pins if pin and not pin.startswith("#")]
    stamp, mark = home / ".installed", _mark(pins)
    python = home / "bin" / "python"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == mark:
        return Environment(python, {})
    say(f"installing {', '.join(pins)} into {home.name} (once)")
    interpreter = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([interpreter, "-m", "venv", "--clear", str(home)], check=True)
    failure = _install(python, pins)
    missing = {pin: why for pin in pins if (why := _install(python, [pin]))} if failure else {}
    if not missing:
        stamp.write_text(mark, encoding="utf-8")
    return Environment(python, missing)


def _mark(pins: Sequence[str]) -> str:
    return hashlib.sha256("\n".join((sys.version, *pins)).encode()).hexdigest()


def _install(python: Path, pins: Sequence[str]) -> str:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *pins]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines()
    return (lines[-1] if lines else "pip failed") if done.returncode else ""
