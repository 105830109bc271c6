"""Whatever goes wrong under /api is one kind of answer (RFC 9457): a stable code, a page of its own, two languages."""

from __future__ import annotations

import gzip
import io
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from world import PEOPLE, YUNZHOU

from signer.domain.machines import Right
from signer.errors import RegisterUnavailable
from signer.web.languages import TONGUES
from signer.web.problem_kinds import KINDS

if TYPE_CHECKING:
    from machine import Machine, Machines
    from werkzeug.test import TestResponse

JSON = {"content_type": "application/json"}
DEEP = b"[" * 5_000 + b"]" * 5_000


@dataclass(frozen=True)
class Wrong:
    """A question, and how it is refused. `more` is for the test client; what is None of the headers is not sent."""

    code: str
    status: int
    method: str = "GET"
    path: str = "/api/v1/drafts"
    more: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def made(code: str, status: int, *, path: str = "/api/v1/drafts", data: bytes = b"{}", **headers: str) -> Wrong:
    """Something that is made by a body of JSON."""
    named = {"Idempotency-Key": "k1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Wrong(code, status, "POST", path, {"data": data, **JSON}, named)


REF = "0123456789abcdef"
TABLE: dict[str, Wrong] = {
    "no such path": Wrong("not-found", 404, path="/api/v1/nothing"),
    "no such path, at the top": Wrong("not-found", 404, path="/api"),
    "no such version": Wrong("not-found", 404, path="/api/v2/drafts"),
    "a slash more": Wrong("not-found", 404, path="/api/v1/drafts/"),
    "a path that is no text": Wrong("not-found", 404, path="/api/v1/drafts/%ff%00"),
    "a path to elsewhere": Wrong("not-found", 404, path="/api/v1/../../etc/passwd"),
    "no such thing": Wrong("not-found", 404, path=f"/api/v1/drafts/{REF}"),
    "another method": Wrong("method-not-allowed", 405, "PATCH"),
    "no method": Wrong("method-not-allowed", 405, "BREW"),
    "another method where no token is needed": Wrong("method-not-allowed", 405, path="/api/v1/verify"),
    "no token": Wrong("not-authenticated", 401, headers={"Authorization": ""}),
    "a token without the right": Wrong("right-missing", 403, path="/api/v1/bundles/offline"),
    "a type that is not given": Wrong("not-acceptable", 406, headers={"Accept": "text/html"}),
    "an unknown parameter": Wrong("invalid-input", 422, path="/api/v1/drafts?x=1"),
    "no key": made("idempotency-key-missing", 400, Idempotency_Key=""),
    "no JSON": made("malformed-json", 400, data=b"{"),
    "JSON in another encoding": made("malformed-json", 400, data='{"title":"é"}'.encode("latin-1")),
    "a key twice": made("malformed-json", 400, data=b'{"title":"a","title":"b"}'),
    "a fraction": made("malformed-json", 400, data=b'{"title":1.5}'),
    "nested without end": made("malformed-json", 400, data=DEEP),
    "nothing at all": made("malformed-json", 400, data=b""),
    "a wrong field": made("invalid-input", 422, data=b'{"titel":"a"}'),
    "a body that is too long": made("too-large", 413, data=b" " * 1_000_001),
    "another type": Wrong(
        "unsupported-media-type",
        415,
        "POST",
        more={"data": b"a=b", "content_type": "application/x-www-form-urlencoded"},
        headers={"Idempotency-Key": "k1"},
    ),
    "a body that is packed": made("unsupported-media-type", 415, data=gzip.compress(b"{}"), Content_Encoding="gzip"),
    "a packed body where no token is needed": made(
        "unsupported-media-type", 415, path="/api/v1/lookups", data=gzip.compress(b"{}"), Content_Encoding="gzip"
    ),
    "a long body without its length": Wrong(
        "too-large",
        413,
        "POST",
        more={
            "input_stream": io.BytesIO(b'"' + b"a" * 1_100_000 + b'"'),
            "environ_overrides": {"wsgi.input_terminated": True},
            **JSON,
        },
        headers={"Idempotency-Key": "k1", "Transfer-Encoding": "chunked"},
    ),
    "no version": Wrong("precondition-required", 428, "DELETE", "/api/v1/drafts/DRAFT"),
    "another version": Wrong("precondition-failed", 412, "DELETE", "/api/v1/drafts/DRAFT", headers={"If-Match": '"9"'}),
    "our own fault": Wrong("internal", 500, path="/api/v1/approvals"),
    "a register that does not answer": Wrong("register-unavailable", 503, path="/api/v1/approvals?state=issued"),
}


for place in ("verify", "licence-checks"):
    for kind in ("", '; filename="a.pdf"'):
        part = f"--b\r\nContent-Disposition: form-data{kind}\r\n\r\nx\r\n--b--\r\n".encode()
        told = {"data": part, "content_type": "multipart/form-data; boundary=b"}
        TABLE[f"a part without a name{kind} at {place}"] = Wrong(
            "malformed-request", 400, "POST", f"/api/v1/{place}", told
        )


@pytest.fixture
def broken(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> Machines:
    """A house where approvals cannot be listed: by a fault of ours, or because the register does not answer."""

    def part(_self: object, _maker: object, states: tuple[str, ...], **_: object) -> None:
        raise RegisterUnavailable("gone") if states == ("issued",) else ZeroDivisionError("a secret")

    monkeypatch.setattr(type(machines.world.services.approving), "part", part)
    return machines


def asked(machine: Machine, wrong: Wrong, language: str = "en") -> TestResponse:
    draft = machine.post("/drafts", {"draft": {}}, key="draft").json["ref"]
    headers = {"Authorization": f"Bearer {machine.secret}", "X-Request-Id": "our-own-id-17", **wrong.headers}
    told = {name: value for name, value in {**headers, "Accept-Language": language}.items() if value}
    if "input_stream" in wrong.more:
        wrong.more["input_stream"].seek(0)
    path = wrong.path.replace("DRAFT", draft)
    return machine.app.test_client().open(path, method=wrong.method, headers=told, **wrong.more)


@pytest.mark.parametrize("name", TABLE)
def test_what_goes_wrong_is_a_problem_with_a_code_and_a_page(broken: Machines, name: str) -> None:
    wrong, reader = TABLE[name], broken.of_maker(PEOPLE[YUNZHOU][0], YUNZHOU)
    answer = asked(reader, wrong)
    assert (answer.status_code, answer.content_type) == (wrong.status, "application/problem+json"), answer.text
    body = answer.json
    assert (body["type"].rsplit("/problems/", 1)[1], body["status"]) == (wrong.code, wrong.status)
    assert answer.headers["Cache-Control"] == "no-store"
    assert body["instance"] == answer.headers["X-Request-Id"] == "our-own-id-17"
    assert "secret" not in answer.text
    assert ("Allow" in answer.headers) == (wrong.status == 405)
    assert ("Retry-After" in answer.headers) == (wrong.status == 503)
    assert ("WWW-Authenticate" in answer.headers) == (wrong.status == 401)
    zh = asked(reader, wrong, "zh-CN,zh;q=0.9").json
    assert (zh["type"], zh["title"] != body["title"], zh["detail"] != body["detail"]) == (body["type"], True, True)
    assert (zh["title"], body["title"]) == (KINDS[wrong.code].zh, KINDS[wrong.code].en)


def test_every_type_leads_to_a_page_in_the_readers_language(machines: Machines) -> None:
    browser = machines.app.test_client()
    for code, kind in KINDS.items():
        shown = {}
        for language in TONGUES:
            page = browser.get(f"/problems/{code}?lang={language}")
            assert page.status_code == 200, (code, language)
            shown[language] = re.sub(r"\s+", " ", re.search(r"<main.*</main>", page.text, re.S)[0])
        assert kind.zh in shown["zh"], code
        assert kind.en in shown["en"], code
        assert len(set(shown.values())) == len(TONGUES), code
    assert browser.get("/problems/nothing").status_code == 404


def test_every_wrong_field_is_named_at_once_by_its_json_pointer(machines: Machines) -> None:
    erp = machines.of_maker(PEOPLE[YUNZHOU][0], YUNZHOU, Right.DRAFTS_WRITE)
    draft = {"contract": 7, "vehicles": [{"vin": "A"}, {"vin": 1, "modified": "yes", "a/b~c": 1}], "until": None}
    answer = erp.post("/drafts", {"title": 1, "draft": draft, "more": {}})
    pointers = {error["pointer"] for error in answer.json["errors"]}
    assert pointers == {
        "/title",
        "/more",
        "/draft/contract",
        "/draft/until",
        "/draft/vehicles/1/vin",
        "/draft/vehicles/1/modified",
        "/draft/vehicles/1/a~1b~0c",
    }
    assert all(error["message"] and error["code"] for error in answer.json["errors"])
    assert json.loads(answer.data)["status"] == 422
