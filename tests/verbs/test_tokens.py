"""The kept token: private, stable, and not believed when others could have read it."""

from __future__ import annotations

import stat
from pathlib import Path

from parti.verbs.tokens import kept_token, stored_token


def test_it_is_made_once(tmp_path: Path) -> None:
    store = tmp_path / "desk.parti"
    assert stored_token(store) == ""
    token = kept_token(store)
    assert len(token) == 32
    assert kept_token(store) == stored_token(store) == token


def test_one_that_others_can_read_is_replaced(tmp_path: Path) -> None:
    store, file = tmp_path / "desk.parti", tmp_path / "desk.parti.token"
    token = kept_token(store)
    file.chmod(0o644)
    assert stored_token(store) == ""
    assert kept_token(store) != token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    store, file = tmp_path / "desk.parti", tmp_path / "desk.parti.token"
    other = tmp_path / "other"
    other.write_text("somebody else's\n", encoding="ascii")
    other.chmod(0o600)
    file.symlink_to(other)
    assert stored_token(store) == ""
    kept_token(store)
    assert other.read_text(encoding="ascii") == "somebody else's\n"
    assert not file.is_symlink()
