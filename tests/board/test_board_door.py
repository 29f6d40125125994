"""Who may look at the board: everybody on loopback, elsewhere whoever signed in, and never a page of another site."""

from __future__ import annotations

import pytest
from board_world import CHANGE, SAME, TOKEN, Browser, visited

from parti.board.sessions import LASTS

VIEWS = ["plan", "picture", "live"]


def code(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]  # type: ignore[attr-defined, no-any-return]


def test_on_loopback_the_board_opens_without_the_token() -> None:
    async def visit(browser: Browser) -> None:
        assert (await browser.get("/api/session")).json() == {
            "signed_in": True, "asks": False, "system": "quiet <b>desk</b>",
        }  # fmt: skip
        assert (await browser.get("/api/plan")).status_code == 200

    visited(visit)


@pytest.mark.parametrize("header", ["forwarded", "via", "x-forwarded-for"])
def test_what_a_proxy_on_this_machine_passes_on_needs_the_token(header: str) -> None:
    async def visit(browser: Browser) -> None:
        assert code(await browser.get("/api/plan", **{header: "for=203.0.113.7"})) == (401, "P502")
        answer = await browser.post(
            "reveal", {"place": "event/orders/0/0#/id"}, {**CHANGE, **SAME, header: "1.1 proxy"}
        )
        assert code(answer) == (401, "P502")
        assert (await browser.get("/api/session", **{header: "1.1 proxy"})).json()["asks"] is True

    visited(visit)


@pytest.mark.parametrize("view", VIEWS)
def test_elsewhere_nothing_of_the_system_is_shown_before_somebody_signs_in(view: str) -> None:
    async def visit(browser: Browser) -> None:
        assert code(await browser.get(f"/api/{view}")) == (401, "P502")
        assert (await browser.get("/api/session")).json() == {"signed_in": False, "asks": True, "system": ""}
        assert "quiet" not in (await browser.get("/")).text

    visited(visit, everybody=False)


def test_the_token_is_given_once_and_a_cookie_that_is_not_the_token_stays() -> None:
    async def visit(browser: Browser) -> None:
        answer = await browser.post("sign-in", {"token": TOKEN})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/-/board" in cookie
        assert TOKEN not in cookie
        assert (await browser.get("/api/plan")).status_code == 200
        await browser.post("sign-out", {})
        assert code(await browser.get("/api/plan")) == (401, "P502")

    visited(visit, everybody=False)


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "é"])
def test_a_wrong_token_signs_nobody_in(token: str) -> None:
    async def visit(browser: Browser) -> None:
        answer = await browser.post("sign-in", {"token": token})
        assert code(answer) == (401, "P502") and "set-cookie" not in answer.headers

    visited(visit, everybody=False)


def test_a_session_survives_a_restart_and_ends_with_its_time_or_with_another_token() -> None:
    async def visit(browser: Browser) -> None:
        await browser.post("sign-in", {"token": TOKEN})
        cookie = "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items())
        again, other = (Browser(browser.system.clock, everybody=False, token=one) for one in (TOKEN, "another"))
        assert (await again.get("/api/plan", cookie=cookie)).status_code == 200
        assert code(await other.get("/api/plan", cookie=cookie)) == (401, "P502")
        await browser.system.clock.wait(LASTS + 1)
        assert code(await again.get("/api/plan", cookie=cookie)) == (401, "P502")

    visited(visit, everybody=False)


@pytest.mark.parametrize(
    "cookie", ["parti-board=", "parti-board=9999999999.00", "parti-board=x.y", "a b=;c", "parti-board=é"]
)
def test_a_made_up_cookie_opens_nothing(cookie: str) -> None:
    async def visit(browser: Browser) -> None:
        assert code(await browser.client.get("/-/board/api/plan", headers={"cookie": cookie.encode("latin-1")})) == (
            401,
            "P502",
        )

    visited(visit, everybody=False)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
    ],
)
def test_a_page_of_another_site_or_port_is_refused(headers: dict[str, str]) -> None:
    async def visit(browser: Browser) -> None:
        looked = await browser.client.get("/-/board/api/plan", headers=headers)
        changed = await browser.post("sign-out", {}, {**CHANGE, **headers})
        assert {looked.status_code, changed.status_code} == {403}

    visited(visit)


def test_a_name_that_was_pointed_at_loopback_is_refused() -> None:
    async def visit(browser: Browser) -> None:
        assert code(await browser.get("/", host="evil.example")) == (403, "P502")

    visited(visit)


def test_a_change_needs_the_header_that_forms_cannot_send_and_a_body_of_json() -> None:
    async def visit(browser: Browser) -> None:
        form = {"content-type": "text/plain", "parti-board": "1"}
        assert code(await browser.post("sign-out", {}, {"content-type": "application/json", **SAME})) == (403, "P511")
        assert code(await browser.post("sign-out", {}, {**form, **SAME})) == (400, "P504")
        assert code(await browser.post("sign-in", [1])) == (400, "P504")
        assert code(await browser.post("sign-in", {})) == (400, "P504")
        assert code(await browser.post("sign-in", {"token": "x" * 2_000_000})) == (413, "P404")

    visited(visit)


def test_every_page_and_answer_lets_the_browser_ask_nobody_else() -> None:
    async def visit(browser: Browser) -> None:
        for path in ("/", "/main.js", "/api/plan"):
            headers = (await browser.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
            assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "no-referrer"

    visited(visit)


def test_what_is_not_of_the_board_is_not_found_there() -> None:
    async def visit(browser: Browser) -> None:
        for path in (
            "/none.js",
            "/..%2fapp.py",
            "/%2e%2e%2fapp.py",
            "/vendor/README.md",
            "/types.d.ts",
            "/api/none",
            "/api/",
        ):
            assert code(await browser.get(path)) == (404, "P507"), path
        assert code(await browser.client.delete("/-/board/")) == (404, "P507")
        assert code(await browser.get("/api/picture?at=noon")) == (400, "P504")
        assert code(await browser.get("/api/tail?topic=orders&limit=-1")) == (400, "P504")
        assert code(await browser.get("/api/part?name=none")) == (404, "P308")

    visited(visit)


def test_the_address_without_a_slash_leads_to_the_page() -> None:
    async def visit(browser: Browser) -> None:
        assert (await browser.get("")).headers["location"] == "/-/board/"

    visited(visit)


def test_a_file_that_the_browser_has_is_not_sent_again() -> None:
    async def visit(browser: Browser) -> None:
        first = await browser.get("/main.js")
        assert first.headers["content-type"].startswith("text/javascript")
        again = await browser.get("/main.js", if_none_match=first.headers["etag"])
        assert (again.status_code, again.content) == (304, b"")

    visited(visit)


def test_the_operators_other_routes_keep_wanting_the_token() -> None:
    async def visit(browser: Browser) -> None:
        assert code(await browser.client.get("/-/design")) == (401, "P502")

    visited(visit)


def test_every_view_answers_and_says_what_it_lacks() -> None:
    async def visit(browser: Browser) -> None:
        for path in ("picture?at=1", "part?name=orders", "runs?limit=5", "topics", "tail?topic=orders", "questions",
                     "events?topic=orders&around=3", "dead-letters", "findings"):  # fmt: skip
            assert (await browser.get(f"/api/{path}")).status_code == 200, path
        for path in ("run?id=none", "story?id=none", "question?id=none", "event?topic=orders&offset=9"):
            assert code(await browser.get(f"/api/{path}")) == (404, "P308"), path

    visited(visit)


@pytest.mark.parametrize("change", ["answer", "cancel", "publish", "retry", "reveal"])
def test_a_change_says_what_its_body_lacks_and_is_refused_to_strangers(change: str) -> None:
    async def visit(browser: Browser) -> None:
        assert code(await browser.post(change, {})) == (400, "P504")
        assert code(await browser.post(change, {}, {"content-type": "application/json"})) == (403, "P511")

    visited(visit)


def test_no_change_is_made_for_who_is_not_signed_in() -> None:
    async def visit(browser: Browser) -> None:
        for change in ("answer", "cancel", "publish", "retry", "reveal", "none"):
            assert code(await browser.post(change, {})) == (401, "P502")

    visited(visit, everybody=False)
