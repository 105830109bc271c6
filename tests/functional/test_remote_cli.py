"""`signer --remote URL issue` and `verify` against a deployment that is served: words and exits as at home."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import terminal
import world as worlds
from machine import Machines
from served import answers, serving, until
from world import KAZAKHSTAN, MEXICO, PEOPLE, YUNZHOU, fresh, sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Shop:
    """A deployment that is served, a preparer's and an approver's token, and a folder for whoever asks."""

    url: str
    folder: Path
    world: worlds.World
    oa: str

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGNER_")}
        command = [terminal.on_path() / "signer", *words]
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        whole = {**kept, "LC_ALL": "C.UTF-8", **environment}
        return subprocess.Popen(command, cwd=self.folder, env=whole, text=True, **pipes)

    def run(self, *words: str, **environment: str) -> tuple[int, str, str]:
        started = self.start(*words, **environment)
        out, err = started.communicate(timeout=120)
        return started.returncode, out, err

    def ask(self, *words: str) -> tuple[int, str, str]:
        return self.run("--remote", self.url, "--token-file", "erp.token", *words)

    def api(self, path: str, body: Any = None, **headers: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        told = {"Authorization": f"Bearer {self.oa}", "Content-Type": "application/json", **headers}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/api/v1{path}", data, told)) as answer:
            return json.load(answer)

    def approve(self, ref: str) -> None:
        read = self.api(f"/approvals/{ref}")
        word = {"decision": "approve", "terms_digest": read["terms_digest"], "external_ref": "OA-1"}
        self.api(f"/approvals/{ref}/decisions", word, **{"Idempotency-Key": f"oa-{ref}"})

    def draft(self, name: str, plain: Any) -> str:
        (self.folder / name).write_text(json.dumps(plain, ensure_ascii=False), encoding="utf-8")
        return name


@pytest.fixture(scope="module")
def shop(live_template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("remote")
    world = worlds.World(worlds.copy(live_template_folder, folder / "data"), at=datetime.now(UTC))
    machines = Machines.of(world)
    erp, oa = (machines.of_maker(person, YUNZHOU) for person in PEOPLE[YUNZHOU])
    (folder / "erp.token").write_text(f"{erp.secret}\n", encoding="ascii")
    with serving(world) as (_, port):
        assert until(lambda: answers(port))
        yield Shop(f"http://127.0.0.1:{port}", folder, world, oa.secret)
    world.services.database.close()


def kazakhstan() -> Any:
    plain = fresh(KAZAKHSTAN, kazakhstan.turn)
    kazakhstan.turn += 1
    today = datetime.now(UTC).date()
    dated = sample(KAZAKHSTAN, today=today)
    for vehicle, told in zip(dated["vehicles"], plain["vehicles"], strict=True):
        vehicle["vin"] = told["vin"]
    return dated


kazakhstan.turn = 1  # type: ignore[attr-defined]


def test_a_draft_is_sent_for_approval_once_however_often_it_is_asked(shop: Shop) -> None:
    name = shop.draft("once.json", kazakhstan())
    code, out, _ = shop.ask("issue", name)
    found = re.fullmatch(r"once\.json: waiting, approval ([0-9a-f]{16}), needed by \d{4}-\d\d-\d\d\n", out)
    assert code == 0
    assert found
    assert shop.ask("issue", name)[:2] == (0, out)
    assert shop.api(f"/approvals/{found[1]}")["title"] == "once"


def test_who_waits_is_given_the_pdf_once_another_person_approved_and_it_verifies_as_at_home(shop: Shop) -> None:
    name = shop.draft("awaited.json", kazakhstan())
    code, out, _ = shop.ask("issue", name)
    ref = re.findall(r"approval ([0-9a-f]{16})", out)[0]
    shop.approve(ref)
    code, out, err = shop.ask("issue", name, "--wait", "--out", "papers")
    assert (code, out.startswith("awaited.json: ")) == (0, True), err
    number = re.findall(r"([0-9A-Z-]{16}) -> ", out)[0]
    paper = f"papers/{number}.pdf"
    remote = shop.run("--remote", shop.url, "verify", paper)  # verifying needs no token
    home = shop.run("verify", paper, **shop.world.environment)
    assert remote[0] == home[0] == 3  # a green TEST answer
    minute = re.compile(r"\d\d:\d\d \(UTC")
    assert minute.sub("", remote[1]) == minute.sub("", home[1])
    assert remote[1].startswith(f"{paper}: VALID TEST {number}\n  Sealed by {YUNZHOU} on ")
    assert shop.run("--remote", shop.url, "verify", "--allow-test", paper)[0] == 0
    code, out, _ = shop.run("verify", "--json", "--vin", "L0YSA3B29T0000101", paper, SIGNER_REMOTE=shop.url)
    told = json.loads(out)
    assert (code, told["file"], told["code"], told["outcome"]) == (1, paper, "NOT_COVERED", "fail")


def test_a_draft_that_breaks_rules_is_refused_with_all_of_them_and_leaves_nothing(shop: Shop) -> None:
    plain = sample(MEXICO, today=datetime.now(UTC).date())
    plain["vehicles"][0]["vin"] = "L0YSA3B29T0000102"
    code, out, err = shop.ask("issue", shop.draft("wrong.json", plain), shop.draft("no.json", {"schema": "x"}))
    assert (code, out) == (1, "")
    assert "wrong.json: refused, " in err
    assert "[vin.check-digit]" in err
    assert "no.json: invalid-input: " in err
    assert "wrong" not in {row["title"] for row in shop.api("/drafts")["items"]}


def test_other_commands_are_of_ones_own_deployment_and_refuse_a_remote_one(shop: Shop) -> None:
    code, _, err = shop.ask("doctor")
    assert code == 64
    assert "issue and verify" in err


def test_a_token_is_needed_to_issue_and_goes_to_no_address_where_others_could_read_it(shop: Shop) -> None:
    name = shop.draft("token.json", kazakhstan())
    assert shop.run("--remote", shop.url, "issue", name)[0] == 64
    code, _, err = shop.run("--remote", "http://signer.example", "--token-file", "erp.token", "issue", name)
    assert (code, "https only" in err) == (1, True)
    (shop.folder / "bad.token").write_text("sgnr_test_none", encoding="ascii")
    code, _, err = shop.run("--remote", shop.url, "--token-file", "bad.token", "issue", name)
    assert (code, "not-authenticated" in err) == (1, True)
    assert "sgnr_test_none" not in err


def test_who_cannot_be_reached_gives_no_verdict(shop: Shop) -> None:
    (shop.folder / "any.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    code, out, err = shop.run("--remote", "http://127.0.0.1:9", "verify", "any.pdf")
    assert (code, out) == (70, "")
    assert "[unavailable]" in err
