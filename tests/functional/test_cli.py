"""The command line in processes of its own, files verified in the sandbox."""

from __future__ import annotations

import json
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING, Any

import paper_keys
import pikepdf
import pytest
import terminal
import world as worlds
from PIL import Image
from world import BEICHEN, EMIRATES, KAZAKHSTAN, YUNZHOU, World, sample

from signer.domain.values import BEIJING
from signer.paper.symbol import matrix

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def signer(world: World, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return terminal.run(*arguments, told=world.environment)


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.json"
    path.write_bytes(worlds.as_bytes(sample(KAZAKHSTAN, today=datetime.now(BEIJING).date())))
    return path


def issue(world: World, draft: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    people = ("--preparer", "chen.sample", "--approver", "lin.sample")
    return signer(world, "issue", draft, "--as", YUNZHOU, *people, "--out", out, *more)


def verdicts(world: World, *arguments: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in signer(world, "verify", "--json", *arguments).stdout.splitlines()]


def test_a_draft_becomes_a_sealed_file_that_verifies_and_a_test_answer_is_not_exit_0(
    live_world: World, draft: Path, tmp_path: Path
) -> None:
    done = issue(live_world, draft, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (pdf,) = (tmp_path / "out").iterdir()
    assert signer(live_world, "verify", pdf).returncode == 3
    said = signer(live_world, "verify", pdf, "--allow-test")
    assert said.returncode == 0
    assert f"VALID TEST {pdf.stem}" in said.stdout
    again = signer(live_world, "fetch", pdf.stem.lower(), "--out", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again" / pdf.name).read_bytes() == pdf.read_bytes()
    assert "PAdES B-LT" in again.stderr
    early = signer(live_world, "fetch", pdf.stem, "--archive", "--out", tmp_path / "again")
    assert "a day after the seal" in early.stderr


def test_one_flipped_and_one_appended_byte_are_red(live_world: World, draft: Path, tmp_path: Path) -> None:
    assert issue(live_world, draft, tmp_path / "out").returncode == 0
    (pdf,) = (tmp_path / "out").iterdir()
    data = pdf.read_bytes()
    flipped, longer = tmp_path / "flipped.pdf", tmp_path / "longer.pdf"
    flipped.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])
    longer.write_bytes(data + b"\n ")
    assert [verdict["code"] for verdict in verdicts(live_world, flipped, longer)] == ["ALTERED", "ALTERED"]
    assert signer(live_world, "verify", flipped, pdf, "--allow-test").returncode == 1
    shown = verdicts(live_world, flipped)[0]
    assert (shown["confirmation"], shown["issuer"], shown["outcome"]) == (None, None, "fail")


def test_what_is_no_pdf_is_unreadable_with_a_reason(live_world: World, tmp_path: Path) -> None:
    (tmp_path / "empty.pdf").touch()
    with (tmp_path / "large.pdf").open("wb") as large:
        large.write(b"%PDF-1.7\n")
        large.truncate(60_000_000)
    with zipfile.ZipFile(tmp_path / "word.pdf", "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    names = ["empty.pdf", "large.pdf", "word.pdf"]
    found = verdicts(live_world, *(tmp_path / name for name in names))
    assert [(verdict["code"], verdict["reason"]) for verdict in found] == [
        ("UNREADABLE", "EMPTY"),
        ("UNREADABLE", "TOO_LARGE"),
        ("UNREADABLE", "NOT_PDF"),
    ]
    assert signer(live_world, "verify", *(tmp_path / name for name in names)).returncode == 3


def test_an_encrypted_pdf_is_unreadable(live_world: World, draft: Path, tmp_path: Path) -> None:
    assert issue(live_world, draft, tmp_path / "out").returncode == 0
    (pdf,) = (tmp_path / "out").iterdir()
    with pikepdf.open(pdf) as opened:
        opened.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="x", user="y", R=6))
    (verdict,) = verdicts(live_world, tmp_path / "locked.pdf")
    assert (verdict["code"], verdict["reason"]) == ("UNREADABLE", "ENCRYPTED")


def test_what_was_asked_is_compared(live_world: World, draft: Path, tmp_path: Path) -> None:
    assert issue(live_world, draft, tmp_path / "out").returncode == 0
    (pdf,) = (tmp_path / "out").iterdir()
    vin = json.loads(draft.read_bytes())["vehicles"][0]["vin"]
    (covered,) = verdicts(live_world, pdf, "--vin", vin.lower(), "--destination", "kz", "--exporter", worlds.TIANSHAN)
    assert (covered["code"], covered["coverage"]["vins"][0]["state"]) == ("VALID", "matched")
    (stranger,) = verdicts(live_world, pdf, "--vin", "1M8GDM9AXKP042788")
    assert (stranger["code"], stranger["coverage"]["vins"][0]["state"]) == ("NOT_COVERED", "missing")
    (elsewhere,) = verdicts(live_world, pdf, "--destination", "UZ")
    assert (elsewhere["code"], elsewhere["coverage"]["destination"]) == ("NOT_COVERED", "different")
    (other,) = verdicts(live_world, pdf, "--exporter", worlds.HAIYI)
    assert (other["code"], other["reason"]) == ("NOT_COVERED", "OTHER_EXPORTER")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"schema": "signer.draft/1", "schema": "signer.draft/1"}', "stands twice"),
        (b'{"schema": "signer.draft/1", "vehicles": NaN}', "NaN"),
        (b"[" * 100_000, "deeper"),
        (b'{"schema": "signer.draft/1", "colour": "red"}', "/colour"),
        ('{"schema": "signer.draft/1"}'.encode("utf-16"), "UTF-16"),
        (b'{"schema": "signer.draft/1", "commitment": {"warranty_months": 1.5}}', "1.5"),
        (b"", "not JSON"),
    ],
)
def test_hostile_json_is_refused_with_a_reason_and_nothing_is_written(
    live_world: World, tmp_path: Path, text: bytes, reason: str
) -> None:
    (tmp_path / "bad.json").write_bytes(text)
    done = issue(live_world, tmp_path / "bad.json", tmp_path / "out")
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert live_world.rows("SELECT count(*) FROM confirmations") == [(0,)]
    assert list((tmp_path / "out").iterdir()) == []


def test_wrong_usage_is_64_and_an_unknown_setting_is_named(live_world: World, draft: Path, tmp_path: Path) -> None:
    assert signer(live_world, "verify").returncode == 64
    assert signer(live_world, "verify", tmp_path / "nowhere.pdf").returncode == 64
    assert signer(live_world, "verify", draft, "--applied-on", "2026/2/30").returncode == 64
    live_world.overrides = {"SIGNER_MODUS": "test"}
    done = signer(live_world, "db", "check")
    assert (done.returncode, "SIGNER_MODUS" in done.stderr) == (1, True)


def test_without_a_trust_list_no_exit_stands_for_a_verdict(live_world: World, draft: Path) -> None:
    (live_world.folder / "keys" / "trust-list.jws").unlink()
    done = signer(live_world, "verify", draft)
    assert (done.returncode, "trust list" in done.stderr, done.stdout) == (70, True, "")


def test_a_folder_that_cannot_be_written_seals_nothing(live_world: World, draft: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = issue(live_world, draft, tmp_path / "file" / "out")
    assert done.returncode == 1
    assert live_world.rows("SELECT count(*) FROM confirmations") == [(0,)]


def test_findings_come_in_chinese_when_asked(live_world: World, tmp_path: Path) -> None:
    plain = sample(EMIRATES)
    plain["exporter"] = ""
    (tmp_path / "draft.json").write_bytes(worlds.as_bytes(plain))
    people = ("--preparer", "he.sample", "--approver", "sun.sample")
    done = signer(
        live_world,
        "issue",
        tmp_path / "draft.json",
        "--as",
        BEICHEN,
        *people,
        "--out",
        tmp_path / "out",
        "--lang",
        "zh",
    )
    assert done.returncode == 1
    assert "出口" in done.stderr


def test_a_scan_is_verified_and_exits_blue(live_world: World, tmp_path: Path) -> None:
    issued = live_world.issue(sample(KAZAKHSTAN, today=live_world.at.date()))
    (claims,) = paper_keys.claims_of(live_world, issued.number)
    key = paper_keys.make(live_world.at)
    paper_keys.enrol(live_world, key, claims.issuer)
    modules = matrix(key.sign(claims), level="Q")
    symbol = Image.new("1", (len(modules), len(modules)))
    symbol.putdata([not black for row in modules for black in row])
    sheet = Image.new("1", (800, 800), 1)
    sheet.paste(symbol.resize((len(modules) * 6,) * 2), (60, 60))
    sheet.save(tmp_path / "scan.png")
    done = signer(live_world, "verify", tmp_path / "scan.png", "--lang", "en", "--destination", "KZ")
    assert done.returncode == 4, done.stderr
    assert f"PAPER_GENUINE TEST {issued.number}" in done.stdout
    assert "It does not prove the sheet" in done.stdout
