"""What every response carries, and what every error looks like."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from apps import create_app
from flask import request

from signer.errors import KeyUnavailable, RegisterUnavailable, TooManyRequests
from signer.web import problems
from signer.web.languages import TONGUES
from signer.web.problem_kinds import KINDS

if TYPE_CHECKING:
    import world as worlds
    from conftest import House

PATHS = ("/verify", "/healthz", "/version", "/nothing", "/api/v1/nothing", "/api/v1/openapi.json", "/static/signer.css")


@pytest.mark.parametrize("path", PATHS)
def test_every_response_has_its_walls(house: House, path: str) -> None:
    with house.client.get(path) as response:
        headers = response.headers
    policy = headers["Content-Security-Policy"]
    assert re.match(r"default-src 'none'; script-src 'nonce-([\w-]{22})'; style-src 'nonce-\1'; img-src", policy)
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers
    assert len(headers["X-Request-Id"]) >= 8


def test_https_deployments_insist_on_it(world: worlds.World) -> None:
    world.overrides["SIGNER_BASE_URL"] = "https://verify.example.org"
    world.rewire()
    client = create_app(world.services).test_client()
    assert client.get("/healthz").headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_a_plain_request_id_is_echoed_and_a_strange_one_is_not(house: House) -> None:
    assert (
        house.client.get("/healthz", headers={"X-Request-Id": "case-2026-0001"}).headers["X-Request-Id"]
        == "case-2026-0001"
    )
    for strange in ("x", "a" * 65, "<script>alert(1)</script>", "two words here"):
        assert house.client.get("/healthz", headers={"X-Request-Id": strange}).headers["X-Request-Id"] != strange


def test_a_problem_has_every_member_and_its_type_leads_to_a_page(house: House) -> None:
    response = house.client.get("/api/v1/verify", headers={"X-Request-Id": "case-2026-0002", "Accept-Language": "zh"})
    assert (response.status_code, response.mimetype) == (405, "application/problem+json")
    assert response.headers["Allow"] == "OPTIONS, POST"
    problem: Any = response.json
    assert (problem["title"], problem["status"], problem["instance"]) == ("方法不适用", 405, "case-2026-0002")
    page = house.client.get(problem["type"].removeprefix(house.world.settings.base_url))
    assert page.status_code == 200


def test_every_kind_of_problem_has_its_page_and_no_other(house: House) -> None:
    for code in KINDS:
        assert house.client.get(f"/problems/{code}?lang=zh").status_code == 200
    assert house.client.get("/problems/nothing").status_code == 404


def test_people_get_a_page_and_machines_get_json(house: House) -> None:
    page = house.client.get("/nothing", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    plain = house.client.get("/nothing", headers={"Accept": "application/json"})
    assert (plain.status_code, plain.mimetype) == (404, "application/problem+json")


def test_an_unforeseen_error_says_nothing_of_itself_and_is_logged_under_the_id(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the secret of /etc/shadow")

    monkeypatch.setattr(type(house.world.services.verifying), "file", break_down)
    response = house.verify(b"", headers={"X-Request-Id": "incident-17"})
    assert response.status_code == 500
    assert b"secret" not in response.data
    assert "incident-17" in capsys.readouterr().out


SECRET = "7c" * 32
AROUND = f"/nothing/{SECRET}?code={SECRET[:40]}%2F"


def test_an_unforeseen_error_that_names_its_requests_address_is_logged_without_it(
    house: House, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ValueError(f"{request.url} {request.full_path} {request.args['code']} cannot be read")

    monkeypatch.setattr(type(house.world.services.verifying), "file", break_down)
    told = house.client.post(f"/verify?code={SECRET}%2F", data={"files": (io.BytesIO(b"%PDF"), "a.pdf")})
    heard = "".join(capfd.readouterr())
    assert (told.status_code, "ValueError" in heard, SECRET in heard) == (500, True, False)


def test_an_error_of_the_answer_to_an_error_is_logged_without_the_requests_address(
    house: House, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError(request.full_path)

    monkeypatch.setattr(problems, "describe", break_down)
    with pytest.raises(ZeroDivisionError):
        house.client.get(AROUND)
    heard = "".join(capfd.readouterr())
    assert ("ZeroDivisionError" in heard, SECRET[:40] in heard) == (True, False)


@pytest.mark.parametrize("language", TONGUES)
def test_a_page_that_is_not_there_now_says_when_to_come_back_and_names_no_header(
    house: House, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    for seconds, shown in ((45, "45"), (901, "16")):

        def refuse(*_: object, wait_s: int = seconds, **__: object) -> None:
            raise TooManyRequests("later", retry_after_s=wait_s) if wait_s > 60 else Later("later")

        monkeypatch.setattr(type(house.world.services.verifying), "file", refuse)
        page = house.client.post(f"/verify?lang={language}", data={"files": (io.BytesIO(b"%PDF"), "a.pdf")})
        text = page.get_data(as_text=True)
        assert (page.headers["Retry-After"], "Retry-After" in text) == (str(seconds), False)
        assert re.search(rf"<p>[^<]*\b{shown}\b[^<]*</p>|<p>[^<]*{shown}[^<]*</p>", text), text[-900:]


class Later(RegisterUnavailable):
    """The register, for three quarters of a minute."""

    retry_after_s = 45


@pytest.mark.parametrize("error", [RegisterUnavailable("disk"), KeyUnavailable("token")])
def test_what_may_help_later_is_503_with_retry_after(
    house: House, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(type(house.world.services.verifying), "file", refuse)
    response = house.verify(b"")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert b"disk" not in response.data


def test_static_files_change_their_address_with_their_content(house: House) -> None:
    page = house.client.get("/verify").get_data(as_text=True)
    assert re.search(r'href="/static/signer\.css\?v=[0-9a-f]{12}"', page)


def test_static_files_do_not_lead_out_of_their_folder(house: House) -> None:
    for path in ("/static/../base.html", "/static/%2e%2e/base.html", "/static//etc/passwd"):
        assert house.client.get(path, follow_redirects=True).status_code == 404


def test_the_version_tells_the_mode(house: House) -> None:
    told = house.client.get("/version").json
    expected = {"name": "signer", "version": "0.1.0.dev0", "mode": "test", "api": "v1"}
    assert {name: told.pop(name) for name in expected} == expected
    assert set(told) == {"commit", "renderers", "migration"}
    assert re.fullmatch(r"([0-9a-f]{40})?", told["commit"])
    assert list(told["renderers"]) == ["1"]
    assert re.fullmatch(r"[0-9a-f]{64}", told["renderers"]["1"])
    assert re.fullmatch(r"\d{4}", told["migration"])


def test_the_openapi_document_is_3_1_and_every_reference_leads_somewhere(house: House) -> None:
    document: Any = json.loads(house.client.get("/api/v1/openapi.json").data)
    assert document["openapi"] == "3.1.0"
    open_to_all = {"/api/v1/verify", "/api/v1/lookups", "/api/v1/licence-checks", "/api/v1/trust-list"}
    told = {rule for rule, path in document["paths"].items() for one in path.values() if {} in one["security"]}
    assert told == open_to_all
    for reference in set(re.findall(r'"\$ref": ?"([^"]+)"', json.dumps(document))):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]
    for path in (document["paths"][rule] for rule in open_to_all - {"/api/v1/trust-list"}):
        assert {"200", "405", "413", "415", "422", "500", "503"} <= set(path["post"]["responses"])
        for status, answer in path["post"]["responses"].items():
            kinds = set(answer["content"])
            assert kinds == {"application/problem+json"} if status != "200" else "application/json" in kinds
