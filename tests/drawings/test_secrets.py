"""What is drawn of a design is for everybody: no drawing holds what lets somebody in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from parti import System
from parti.design.addresses import shown_address
from parti.design.graph import Design
from parti.drawings import design_json, draw_mermaid, draw_svg, draw_text

DOCUMENT = {"openapi": "3.0.3", "paths": {"/a": {"get": {"operationId": "a"}}}}
URL = "https://somebody:s3cret@host:8443/v1/@a?key=s3cret#s3cret"


def a_design() -> Design:
    """A desk with secrets wherever an option could hold one."""
    desk = System("desk")
    desk.llm(URL, model="m", settings={"extra_headers": {"Authorization": "Bearer s3cret"}, "temperature": 0})
    desk.mcp("run", command=["/bin/serve", "--token", "s3cret"], env={"TOKEN": "s3cret"})
    desk.mcp("far", url=URL, headers={"Authorization": "Bearer s3cret"})
    desk.openapi("crm", document=DOCUMENT, base_url=URL, headers={"Authorization": "Bearer s3cret"})
    return desk.design


@pytest.mark.parametrize("draw", [lambda design: json.dumps(design_json(design)), draw_mermaid, draw_svg, draw_text])
def test_no_drawing_holds_a_secret(draw: Callable[[Design], str]) -> None:
    drawn = draw(a_design())
    assert "host:8443" in drawn
    assert "s3cret" not in drawn
    assert "somebody" not in drawn


def test_what_is_no_secret_is_told() -> None:
    options: dict[str, Any] = {part["name"]: part["options"] for part in design_json(a_design())["parts"]}
    assert options["host:8443:m"]["target"] == "https://host:8443/v1/@a"
    assert options["host:8443:m"]["settings"] == ["extra_headers", "temperature"]
    assert options["run"]["command"] == ["/bin/serve"]
    assert options["far"]["url"] == options["crm"]["url"] == "https://host:8443/v1/@a"


@pytest.mark.parametrize("plain", ["", "local", "openai:gpt-5", "http://host", "http://[::1]:80/a@b", "http://[broken"])
def test_an_address_without_secrets_stays_as_it_is(plain: str) -> None:
    assert shown_address(plain) == plain
