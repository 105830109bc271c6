"""`/v` in a real browser: what it answers to which code, and that nobody learns what it was asked."""

from __future__ import annotations

import http.server
import json
import random
import shutil
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import paper_codes as codes
import pypdfium2
import pytest
import world as worlds
from chromium import FLAGS
from paper_codes import AT, NUMBER, VINS, Code, claims, dumps
from playwright.sync_api import sync_playwright
from tabs import PATIENCE_MS, Tabs
from world import ROOT

from signer import resources
from signer.domain.evidence import Asked, RegisterFacts, TrustFacts
from signer.domain.paper_code import PaperCodeRefused
from signer.domain.paper_evidence import CodeFacts, PaperFacts, StatusFacts
from signer.domain.values import beijing_day
from signer.paper import cose, symbol
from signer.seal.certificates import Certificate
from signer.verification.paper import decide
from signer.verification.policy import Policy
from signer.web import languages
from signer.web.languages import OTHERS, TONGUES
from signer.web.paper_page import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from signer.domain.trust import TrustEntry, TrustList

NOW = AT + timedelta(days=2)
NAME = codes.NAMES[codes.MAKER]
UNKNOWN, PAST = "Not a listed manufacturer's seal", "Past its own last day"
GENUINE, INVALID, OPEN = (
    "The printed code is genuine",
    "The printed code is not valid",
    "The check could not be finished",
)


_ELSEWHERE = b'<!doctype html><link rel="icon" href="data:,"><title>elsewhere</title>'


class House:
    """A server that keeps what it was asked, word for word."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.page = b""
        house = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                house.asked.append(f"{self.requestline}\n{self.headers}")
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(house.page if self.path == "/v" else _ELSEWHERE)

            def log_message(self, *args: object) -> None:
                del args

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        folder = resources.templates_dir() / "web"
        phrases = languages.read_phrases(folder / "strings")
        self.drawing = Drawing(folder, phrases=phrases, base_url=self.address)

    def draw(self, trust: TrustList | None = None) -> bytes:
        return self.drawing.draw(trust or codes.trust_list()).html


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    made = House()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def browser(sealed: Sealed) -> Iterator[Browser]:
    """Debian's chromium; started after the paper is sealed: its loop shuts out others."""
    del sealed
    path = shutil.which("chromium")
    assert path, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE_MS)
        yield found
        found.close()


@pytest.fixture
def tabs(browser: Browser, house: House) -> Iterator[Tabs]:
    house.page = house.draw()
    house.asked.clear()
    opened = Tabs(browser, house.address)
    yield opened
    assert opened.close() == []
    assert all(len(run) < 100 for one in house.asked for run in runs(one)), "a code was sent"


@dataclass(frozen=True)
class Sealed:
    """A confirmation as it was issued, the text of the code on its page, and the trust list of its deployment."""

    number: str
    vins: tuple[str, ...]
    text: str
    trust: TrustList
    at: datetime


@pytest.fixture(scope="module")
def sealed(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    world = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("sealed") / "data"))
    plain = worlds.sample(worlds.KAZAKHSTAN)
    issued, trust = world.issue(plain), world.services.trust.current(world.at)
    document = pypdfium2.PdfDocument(issued.pdf)
    found: list[str] = []
    for page in document:
        picture = page.render(scale=3, grayscale=True)
        rows = range(0, picture.height * picture.stride, picture.stride)
        pixels = b"".join(bytes(picture.buffer[row : row + picture.width]) for row in rows)
        found += symbol.texts(pixels, width=picture.width)
    document.close()
    world.services.database.close()
    (text,) = (one for one in found if "/v#" in one)
    vins = tuple(str(vehicle["vin"]) for vehicle in plain["vehicles"])
    return Sealed(number=str(issued.number), vins=vins, text=text, trust=trust, at=world.at)


def runs(text: str) -> list[str]:
    """Return the runs of digits in a text."""
    return "".join(char if char.isdigit() else " " for char in text).split()


def opened(tabs: Tabs, text: str = "", *, now: Any = NOW, **more: Any) -> Page:
    page = tabs.open(**more)
    page.clock.set_fixed_time(now)
    page.goto(f"/v{text}")
    return page


def put(page: Page, text: str) -> str:
    """Verify another code in an open page, and return the verdict with what it means."""
    page.evaluate("text => show(text)", text)
    return str(page.inner_text("#verdict")) + " · " + str(page.inner_text("#means"))


def test_a_genuine_code_shows_what_it_says_and_the_lists_name(tabs: Tabs) -> None:
    code = Code(payload=dumps(claims(page=[2, 3])))
    page = opened(tabs, code.text)
    page.wait_for_selector("#banner")
    assert page.title().startswith(f"{GENUINE} · {NUMBER} · {NAME}")
    assert page.evaluate("document.activeElement.id") == "verdict"
    assert page.inner_text("#of") == f"{NUMBER} {NAME}"
    shown = page.inner_text("#data")
    for text in (NUMBER, codes.MAKER, codes.EXPORTER, "KZ Kazakhstan", "2026-12-13", "2026-11-25 11:00 (UTC+8)"):
        assert text in shown
    assert "page 2 of 3" in page.inner_text("#page")
    assert page.locator("#vins .vin").all_inner_texts() == [f"{v[:3]}{v[3:9]}{v[9:]}" for v in VINS]
    assert page.locator("#vins .vin").first.locator("span").all_inner_texts() == [
        VINS[0][:3],
        VINS[0][3:9],
        VINS[0][9:],
    ]
    assert "sheet in your hand" in page.inner_text("#means")
    assert "TEST" in page.inner_text("#outcome")
    page.check("#vins input >> nth=0")


def test_the_code_on_an_issued_page_is_genuine_by_the_list_of_its_deployment(
    tabs: Tabs, house: House, sealed: Sealed
) -> None:
    house.page = house.draw(sealed.trust)
    page = opened(tabs, now=sealed.at + timedelta(hours=1))
    assert put(page, sealed.text).startswith(GENUINE)
    assert sealed.number in page.title()
    shown = [vin.replace("\n", "") for vin in page.locator("#vins .vin").all_inner_texts()]
    assert tuple(shown) == sealed.vins


def test_who_signed_it_and_when_decides(tabs: Tabs) -> None:
    page = opened(tabs)
    late, other = int(AT.timestamp()) + 1, dumps(claims(issuer=codes.OTHER))
    for code, verdict, meaning in (
        (Code("kept"), GENUINE, NAME),
        (Code(payload=dumps(claims(until=20_784))), GENUINE, NAME),
        (Code(payload=dumps(claims(until=20_783))), PAST, "2026-11-26, is over"),
        (Code("other", other), GENUINE, codes.NAMES[codes.OTHER]),
        (Code("kept", dumps(claims(issued=late))), UNKNOWN, "not entitled"),
        (Code("kept-too-late"), UNKNOWN, "not entitled"),
        (Code("late"), UNKNOWN, "not entitled"),
        (Code("early"), UNKNOWN, "not entitled"),
        (Code("nobody"), INVALID, "not on the trust list"),
        (Code("other"), UNKNOWN, "another manufacturer"),
        (Code(payload=other), UNKNOWN, "another manufacturer"),
        (Code("other", protected=dumps({1: -7, 4: codes.kid("maker")})), INVALID, "does not fit"),
        (Code(aad=b"signer/paper/2"), INVALID, "does not fit"),
        (Code("revoked"), OPEN, "was revoked on 2026-11-25 11:00"),
        (Code("suspended"), OPEN, "suspended since"),
        (Code("nobody", dumps(claims(issued=int(AT.timestamp()) + 3601))), OPEN, "after the trust list in this page"),
        (Code(payload=dumps(claims(issued=int(NOW.timestamp()) + 900))), OPEN, "still to come"),
    ):
        told = put(page, code.text)
        assert told.startswith(verdict), (code, told)
        assert meaning in told, (code, told)
        if verdict not in (GENUINE, PAST):
            for name in codes.NAMES.values():
                assert name not in f"{page.text_content('#app')} {page.title()}"
            assert not page.is_visible("#data")


def test_one_altered_digit_is_never_genuine_whatever_is_appended_is_ignored(tabs: Tabs) -> None:
    page = opened(tabs)
    digits = Code().digits
    for place in range(0, len(digits), 101):
        other = str((int(digits[place]) + 1) % 10)
        assert put(page, f"#{digits[:place]}{other}{digits[place + 1 :]}").startswith(INVALID), place
    for spoilt in (f"#0{digits}", f"#{digits}7", f"#{digits[:-1]}", f"# {digits}", "#", "#1", f"#{'1' * 4001}", digits):
        assert put(page, spoilt).startswith(INVALID), spoilt
    wide = "".join(chr(0xFF10 + int(digit)) for digit in digits)
    assert put(page, f"#{wide}").startswith(INVALID)
    for suffix in ("", ".", "。看看这个", "&from=chat", "?x=1", "#1", ")", "\N{FULLWIDTH DIGIT ONE}", "%20", "x7"):
        assert put(page, f"a messenger's https://elsewhere.example/v#{digits}{suffix}").startswith(GENUINE), suffix
        page.evaluate("text => { location.hash = text }", f"#{digits}{suffix}")
        assert put(page, page.evaluate("location.hash")).startswith(GENUINE), suffix


def test_a_second_code_in_the_same_tab_takes_the_place_of_the_first(tabs: Tabs) -> None:
    page = opened(tabs, Code().text)
    page.wait_for_function("document.title.startsWith('The printed code is genuine')")
    page.evaluate("text => { location.hash = text }", Code("revoked").text)
    page.wait_for_function("document.title.startsWith('The check could not be finished')")
    page.fill("#text", f"https://any.example/v{Code('nobody').text}\n")
    page.click("#again button")
    page.wait_for_function("document.title.startsWith('The printed code is not valid')")
    assert page.evaluate("document.activeElement.id") == "verdict"


def test_after_its_lists_end_the_page_shows_amber_and_no_name(tabs: Tabs) -> None:
    page = opened(tabs, Code().text, now=codes.trust_list().expires)
    page.wait_for_selector("#banner")
    assert page.title().startswith(f"{OPEN} · {NUMBER}")
    assert "expired on 2026-12-25 12:00 (UTC+8)" in page.inner_text("#means")
    assert NAME not in page.inner_text("body") + page.title()
    assert put(page, Code("nobody").text).startswith(OPEN)
    assert put(page, Code(aad=b"").text).startswith(INVALID), "what is proven false stays so"
    early = opened(tabs, Code().text, now=AT)
    early.wait_for_selector("#banner")
    assert "before the trust list in this page was made" in early.inner_text("#means")


def test_saved_as_a_file_it_works_without_a_network(tabs: Tabs, house: House, tmp_path: Path) -> None:
    page = opened(tabs)
    with page.expect_download() as saving:
        page.click("a[download]")
    file = tmp_path / "signer-v.html"
    saving.value.save_as(file)
    assert file.read_bytes() == house.page
    house.asked.clear()
    page.context.set_offline(True)
    assert put(page, Code().text).startswith(GENUINE), "once loaded, the page needs no network"
    page.goto(f"{file.as_uri()}{Code().text}")
    page.wait_for_selector("#banner")
    assert page.title().startswith(GENUINE)
    page.goto(file.as_uri())
    page.fill("#text", f"https://any.example/v{Code('revoked').text}")
    page.click("#again button")
    page.wait_for_function("document.title.startsWith('The check could not be finished')")
    assert house.asked == []


def test_saved_by_the_browser_while_it_shows_an_answer_it_begins_anew(tabs: Tabs, tmp_path: Path) -> None:
    page, file = opened(tabs, Code().text), tmp_path / "saved.html"
    page.wait_for_selector("#banner")
    file.write_text(page.content(), encoding="utf-8")
    page.goto(file.as_uri())
    page.wait_for_selector("#blank")
    assert page.title() == "Verify the signed code on paper"
    assert not page.is_visible("#banner")
    assert not page.is_visible("#data")
    assert page.locator("#tongues button").count() == len(TONGUES)
    assert put(page, Code("revoked").text).startswith(OPEN)


def test_nobody_learns_what_was_asked(tabs: Tabs, house: House) -> None:
    page, seen = tabs.open(), []
    page.on("request", lambda request: seen.append(f"{request.url} {request.headers}"))
    page.clock.set_fixed_time(NOW)
    digits = Code().digits
    page.goto(f"/v#{digits}")
    page.wait_for_selector("#banner")
    assert len(house.asked) == 1, "the page itself, and not even an icon"
    page.click("#online")
    page.wait_for_function("document.title === 'elsewhere'")
    assert page.url == f"{house.address}/verify#{NUMBER}"
    assert len(house.asked) == 2
    assert house.asked[1].startswith("GET /verify HTTP")
    told = " ".join(house.asked)
    assert "referer" not in told.lower()
    assert digits[:40] not in told + " ".join(one.replace(f"#{digits}", "") for one in seen)
    assert NUMBER not in told


def test_a_browser_that_cannot_verify_says_so(tabs: Tabs) -> None:
    page = opened(tabs)
    page.evaluate("Object.defineProperty(globalThis, 'crypto', { value: {} })")
    told = put(page, Code().text)
    assert told.startswith(OPEN)
    assert "cannot verify signatures here" in told
    assert put(page, Code("nobody").text).startswith(INVALID), "what needs no signature is still answered"
    assert put(page, "#1").startswith(INVALID)


def test_a_name_in_the_list_is_text_and_never_markup(tabs: Tabs, house: House) -> None:
    evil = '</script><img src=x onerror="document.title=1"><b>'
    entry = codes.entry("maker", legal_name=evil)
    house.page = house.draw(codes.trust_list().model_copy(update={"entries": (entry,), "test": False}))
    page = opened(tabs, Code().text)
    page.wait_for_selector("#banner")
    assert evil in page.inner_text("#of")
    assert page.locator("img").count() == 0
    assert "TEST" not in page.inner_text("body"), "whether it is a TEST is for the list to say"
    assert len(house.asked) == 1


def test_it_reads_the_browsers_language_and_can_be_switched(tabs: Tabs, browser: Browser, house: House) -> None:
    for locale, tag, verdict in (
        ("zh-HK", "zh-CN", "印刷码数据真实"),
        ("de", "en", GENUINE),
    ):
        context = browser.new_context(base_url=house.address, locale=locale)
        page = context.new_page()
        page.clock.set_fixed_time(NOW)
        page.goto(f"/v{Code().text}")
        page.wait_for_selector("#banner")
        assert page.get_attribute("html", "lang") == tag
        assert page.title().startswith(verdict)
        context.close()
    page = opened(tabs, Code().text)
    page.wait_for_selector("#banner")
    for tongue in TONGUES:
        page.click(f"#tongues [lang={languages.TAGS[tongue]}]")
        assert page.get_attribute("html", "dir") == ("rtl" if tongue == "ar" else "ltr")
        assert page.evaluate("getComputedStyle(document.querySelector('#vins code')).direction") == "ltr"
        assert page.get_attribute("#tongues [aria-pressed=true]", "lang") == languages.TAGS[tongue]
        for text in ("Taiwan", "undefined", "{"):
            assert text not in page.inner_text("body"), tongue
        if tongue in OTHERS:
            assert "printed code" not in page.inner_text("body")


def test_everybody_can_read_it_on_a_small_phone(tabs: Tabs) -> None:
    for dark, texts in ((False, ("", Code("revoked").text)), (True, ("#1", Code().text))):
        page = opened(tabs, width=320, dark=dark)
        for text in texts:
            page.evaluate("text => show(text)", text)
            assert tabs.faults(page) == [], text
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, text
    page.click("summary")
    page.click("#tongues [lang=ar]")
    assert tabs.faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_without_scripts_it_leads_to_number_and_tail(tabs: Tabs, house: House) -> None:
    page = tabs.open(scripts=False)
    page.goto(f"/v{Code().text}")
    links = page.locator(".no-js a")
    assert links.count() == len(TONGUES)
    assert links.first.get_attribute("href") == f"{house.address}/verify"
    assert not page.is_visible("#app")
    assert "车辆识别代号" in page.inner_text("main")


REASONS = (
    *("form", "version", "cose", "algorithm", "claims", "claim", "high-s", "truncated", "trailing", "not-minimal"),
    *("indefinite", "type", "duplicate-key", "key-order", "text", "depth"),
)
"""Why a text is refused: docs/reference/paper-code.md."""
_READ = """texts => Promise.all(texts.map(async text => {
  try {
    const code = read(text);
    const key = keys.find(({ kid }) => kid === code.kid);
    return { ...code.claims, kid: code.kid, signed: hex(code.signed), good: Boolean(key) && await isSigned(code, key) };
  } catch (error) {
    if (!(error instanceof Refused)) return { crashed: String(error) };
    return { refused: error.message };
  }
}))"""


def by_python(text: str) -> dict[str, Any]:
    """Return what `signer` says of a text, in the page's words."""
    try:
        code = cose.decode(text)
    except PaperCodeRefused as error:
        return {"refused": error.reason}
    told = code.claims
    listed = {codes.kid(name): codes.spki(name) for name in ("maker", "other")}
    found: dict[str, Any] = {
        "issuer": told.issuer,
        "number": told.number,
        "issued": int(told.issued_at.timestamp()),
        "vins": list(told.vins),
        "destination": told.destination,
        "digest": told.content_digest.hex(),
        "exporter": told.exporter,
        "status": list(told.status) if told.status else None,
        "page": list(told.page) if told.page else None,
        "until": (told.until - date(1970, 1, 1)).days if told.until else None,
        "kid": code.kid.hex(),
        "signed": code.signed.hex(),
        "good": code.kid in listed and cose.verify(code, listed[code.kid]),
    }
    return {name: value for name, value in found.items() if value is not None}


def differing(page: Page, texts: list[str]) -> list[tuple[str, Any, Any]]:
    """Return the texts of which `signer` and the page do not say the same."""
    said = [{name: value for name, value in one.items() if value is not None} for one in page.evaluate(_READ, texts)]
    both = zip(texts, map(by_python, texts), said, strict=True)
    return [(text, ours, theirs) for text, ours, theirs in both if ours != theirs]


def test_the_page_and_signer_read_alike_whatever_is_wrong(tabs: Tabs) -> None:
    page = opened(tabs)
    texts = codes.spoilt()
    assert differing(page, list(texts.values())) == []
    assert {by_python(text).get("refused") for text in texts.values()} == {None, *REASONS}


_BELIEVED = """([texts, listed]) => Promise.all(texts.map(async text => {
  try {
    const code = read(text);
    const key = listed.find(({ kid }) => kid === code.kid);
    const isGood = key && await isSigned(code, key);
    const why = !key ? "unknown-key" : !isGood ? "signature" : key.uscc !== code.claims.issuer ? "issuer" : "";
    return { ...code.claims, why };
  } catch (error) {
    return { why: error.message };
  }
}))"""


def test_the_page_takes_refuses_and_believes_the_published_codes(tabs: Tabs) -> None:
    page = opened(tabs)
    published = json.loads((ROOT / "tests" / "vectors" / "paper.json").read_text(encoding="utf-8"))
    cases = [case for kind in ("accepted", "refused", "unbelieved") for case in published[kind]]
    said = page.evaluate(_BELIEVED, [[case["text"] for case in cases], list(published["keys"].values())])
    names = {"iat": "issued", "until_day": "until", "content_digest": "digest"}
    for case, answer in zip(cases, said, strict=True):
        assert answer["why"] == case.get("reason", case.get("why", "")), case["name"]
        for name, value in case.get("claims", {}).items():
            assert answer[names.get(name, name)] == value, (case["name"], name)


KEYS = ("maker", "other", "revoked", "revoked-late", "suspended", "kept", "kept-too-late", "late", "early")


@cache
def found_by_signer(text: str, entries: tuple[TrustEntry, ...]) -> CodeFacts:
    """Return what `signer` finds in a text, and of its key in these entries."""
    try:
        code = cose.decode(text)
    except PaperCodeRefused as error:
        return CodeFacts(sheet=1, digest="00" * 32, fault=error.reason)
    spki = {Certificate(entry.der).key_info: entry for entry in entries}
    listed = next((key for key in spki if cose.kid_of(key) == code.kid), None)
    return CodeFacts(
        sheet=1,
        digest="00" * 32,
        claims=code.claims,
        kid=code.kid.hex(),
        entry=spki[listed] if listed else None,
        is_signed=listed is not None and cose.verify(code, listed),
    )


def by_signer(text: str, trust: TrustList, at: datetime) -> str:
    """Return the code that `signer` answers without a register, where a status list says that it is in force."""
    facts = PaperFacts(
        at=at,
        today=beijing_day(at),
        codes=(found_by_signer(text, trust.entries),),
        register_=RegisterFacts(source="bundle", as_of=at),
        trust=TrustFacts(sequence=7, issued=trust.issued, expires=trust.expires, test=True),
        status=StatusFacts(status="in-force", as_of=at),
    )
    return decide(facts, Asked(), Policy(mode="test")).code.value


def test_the_page_and_signer_judge_alike_whoever_signed_and_whenever(tabs: Tabs) -> None:
    page, trust = opened(tabs), codes.trust_list()
    keys, second = (*KEYS, "nobody"), 1
    issued = int(AT.timestamp())
    made, ends = int(trust.issued.timestamp()), int(trust.expires.timestamp())
    times = (issued - second, issued, issued + second, made, made + second, ends, int(NOW.timestamp()) + 300)
    midnight = int(datetime(2026, 11, 28, 16, tzinfo=UTC).timestamp())  # in Beijing, after the last day in the codes
    clocks = (
        made,
        int(NOW.timestamp()),
        int(NOW.timestamp()) - second,
        midnight - second,
        midnight,
        ends - second,
        ends,
    )
    texts = [
        Code(by, dumps(claims(issued=time, issuer=issuer, until=20_785))).text
        for by in keys
        for issuer in (codes.MAKER, codes.OTHER)
        for time in times
    ]
    asked = [(text, clock) for text in texts for clock in clocks]
    asked += [(text, clocks[1]) for text in codes.spoilt().values()]
    said = page.evaluate("all => Promise.all(all.map(async ([text, now]) => (await judge(text, now)).code))", asked)
    told = [by_signer(text, trust, datetime.fromtimestamp(clock, UTC)) for text, clock in asked]
    assert [one for one in zip(asked, told, said, strict=True) if one[1] != one[2]] == []
    assert set(told) == {"PAPER_GENUINE", "PAST_END", "INDETERMINATE", "UNKNOWN_SEAL", "CODE_INVALID"}


@pytest.mark.parametrize("count", [400, pytest.param(8_000, marks=pytest.mark.soak)])
def test_the_page_and_signer_read_mutations_alike(tabs: Tabs, count: int) -> None:
    page, chance = opened(tabs), random.Random(count)
    for _ in range(0, count, 400):
        texts = [codes.mutated(chance) for _ in range(400)]
        assert differing(page, texts) == []
