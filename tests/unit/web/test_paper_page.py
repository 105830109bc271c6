"""`/v` as it is served: what it holds, what it may do, and how long it may be kept."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import paper_codes as codes
import pytest

from signer import resources
from signer.web import languages
from signer.web.languages import TONGUES
from signer.web.paper_page import SHARED, Drawing

if TYPE_CHECKING:
    from conftest import House

WEB = resources.templates_dir() / "web"
MOST = {"script, style and markup": 8_700, "words in six languages": 12_500}
"""Bytes, gzipped: what may be sent besides the keys."""


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    return Drawing(WEB, phrases=languages.read_phrases(WEB / "strings"), base_url="https://confirm.example/")


def data_of(html: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_its_policy_lets_it_run_its_own_script_and_nothing_else(drawing: Drawing) -> None:
    page = drawing.draw(codes.trust_list())
    html = page.html.decode()
    for kind in ("script", "style"):
        (text,) = re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in page.policy
    assert page.policy.startswith("default-src 'none'; ")
    assert page.policy.replace("'", "&#39;") in html, "a saved page has no headers: its own words bind it"
    assert not re.search(r"unsafe|\*|https?:", page.policy)
    assert not re.search(r"\b(?:src|style|on[a-z]+)=|eval\(|innerHTML|fetch\(|XMLHttp|import\(|localStorage", html)
    assert set(re.findall(r'(?:href|download)="([^"#{]*)', html)) == {
        "data:,",
        "https://confirm.example/verify",
        "https://confirm.example/v",
        "signer-v.html",
    }


def test_the_keys_in_it_are_the_lists_paper_keys(drawing: Drawing) -> None:
    told = data_of(drawing.draw(codes.trust_list()).html.decode(), "list")
    assert {name: told[name] for name in ("sequence", "issued", "expires", "test", "base")} == {
        "sequence": 7,
        "issued": "2026-11-25T04:00:00Z",
        "expires": "2026-12-25T04:00:00Z",
        "test": True,
        "base": "https://confirm.example",
    }
    assert told["keys"][2] == {
        "kid": codes.kid("revoked").hex(),
        "spki": base64.b64encode(codes.spki("revoked")).decode(),
        "uscc": codes.MAKER,
        "name": codes.NAMES[codes.MAKER],
        "from": "2026-01-01T00:00:00Z",
        "until": "2028-01-01T00:00:00Z",
        "state": "revoked",
        "since": "2026-11-25T03:00:00Z",
    }
    assert len(told["keys"]) == len(codes.trust_list().entries)


def test_every_phrase_that_its_script_says_is_there_and_no_other(drawing: Drawing) -> None:
    sources = [(WEB / "paper" / name).read_text(encoding="utf-8") for name in ("page.js", "page.html")]
    named = {key for text in sources for key in re.findall(r'(?:data-t=|\(|\[)"((?:[a-z-]+)\.[a-zA-Z.-]+)"', text)}
    answered = set(re.findall(r'(?:code: |red\()"([A-Z_]+)"', sources[0]))
    named |= {f"v.why.{why}" for why in re.findall(r'(?:why: |red\("[A-Z_]+", |open\()"([a-z-]+)"', sources[0])}
    named |= {
        "v.why.damaged",
        "v.why.revoked",
        "v.why.suspended",
        "outcome.fail",
        "outcome.review",
        "v.no-script",
        "v.by-number",
    }
    words = data_of(drawing.draw(codes.trust_list()).html.decode(), "words")
    assert tuple(words) == TONGUES
    for tongue in TONGUES:
        assert words[tongue]["codes"].keys() == answered
        assert words[tongue].keys() - {"printed", "codes", "name", "tag", "dir"} == named, tongue
    assert set(SHARED) <= named


def test_it_weighs_a_few_kilobytes(drawing: Drawing) -> None:
    html = drawing.draw(codes.trust_list().model_copy(update={"entries": ()})).html
    said = rb'<script type="application/json" id="words">.*?</script>|<p class="no-js".*?</p>\n'
    bare = re.sub(said, b"", html, flags=re.DOTALL)
    sizes = {"script, style and markup": len(gzip.compress(bare, 9))}
    sizes["words in six languages"] = len(gzip.compress(html, 9)) - sizes["script, style and markup"]
    print(sizes)  # noqa: T201 (figures for docs/reference/paper-page.md)
    for name, size in sizes.items():
        assert size <= MOST[name], name


def test_it_is_served_to_be_kept_no_longer_than_its_list(house: House) -> None:
    trust, at = house.world.services.trust.current(house.world.at), house.world.at
    first = house.client.get("/v")
    assert first.status_code == 200
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert first.headers["Content-Security-Policy"].endswith("; frame-ancestors 'none'")
    assert "nonce" not in first.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in first.headers
    assert "Accept-Language" not in first.headers.get("Vary", "")
    again = house.client.get("/v", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    try:
        for before, kept in ((timedelta(minutes=10), 600), (timedelta(0), 0), (-timedelta(days=1), 0)):
            house.world.at = trust.expires - before
            assert house.client.get("/v").headers["Cache-Control"] == f"public, max-age={kept}", before
    finally:
        house.world.at = at


def test_another_list_is_another_page(drawing: Drawing) -> None:
    first, trust = codes.trust_list(), codes.trust_list(days=29)
    page = drawing.draw(first)
    assert drawing.draw(first) is page
    assert data_of(drawing.draw(trust).html.decode(), "list")["expires"] == "2026-12-24T04:00:00Z"
    assert drawing.draw(trust).digest != page.digest
    assert drawing.draw(first) == page
