"""`signer receipt`, in this process: what it prints, and an exit for every answer."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from apps import create_app

from signer import cli, logs
from signer.domain.evidence import Asked
from signer.domain.trust import Purpose, SealState
from signer.services.receipts import Receipt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

VINS = ("L0YSA3B29T0000101", "L0YSA3B20T0000102")


@pytest.fixture
def run(live_world: worlds.World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command over a deployment of today; return exit, output and complaints."""
    for name in ("LC_ALL", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SIGNER_DATA_DIR", str(live_world.folder))
    monkeypatch.setattr(logs, "configure", lambda _level: None)

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["signer", "receipt", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return int(str(ended.value.code)), told.out, told.err

    return command


def made(world: worlds.World, folder: Path, asked: Asked | None = None) -> Path:
    """Write the receipt of a verdict on an empty file."""
    found = world.services.receipts.of_file(world.verify(b""), b"", asked or Asked())
    assert isinstance(found, Receipt)
    path = folder / "receipt.jwt"
    path.write_text(f"\n{found.token}\n")
    return path


def test_a_genuine_receipt_is_told_with_question_answer_time_and_list(
    live_world: worlds.World, run: Run, tmp_path: Path
) -> None:
    asked = Asked(vins=VINS, destination="KZ", exporter=worlds.TIANSHAN)
    path = str(made(live_world, tmp_path, asked))
    exit_code, told, complaints = run(path)
    assert (exit_code, complaints) == (0, "")
    assert told.startswith(f"{path}: genuine TEST\n")
    for part in (*VINS, "KZ", worlds.TIANSHAN, "UNREADABLE", "trust list 1", "(UTC+8)", "size 0", "says nothing about"):
        assert part in told
    assert "不说明今天" in run(path, "--lang", "zh")[1]
    plain: Any = json.loads(run(path, "--json")[1])
    assert list(plain) == ["file", "state", "reason", "detail", "signed_by", "trust_list", "claims"]
    assert (plain["state"], plain["claims"]["question"]["vins"]) == ("genuine", list(VINS))
    assert plain["trust_list"]["sequence"] == plain["claims"]["trust_list"] == 1


def test_a_licence_is_told_row_by_row(live_world: worlds.World, run: Run, tmp_path: Path) -> None:
    client = create_app(live_world.services, clock=lambda: live_world.at).test_client()
    question = {"vins": VINS, "numbers": ["00000-00000-0000"], "destination": "KZ", "exporter": worlds.TIANSHAN}
    answer = client.post("/api/v1/licence-checks", json=question).json
    assert answer is not None
    path = tmp_path / "licence.jwt"
    path.write_text(answer["receipt"])
    exit_code, told, _ = run(str(path))
    assert exit_code == 0
    assert "FAIL: 0/2 VIN" in told
    assert all(f"{vin} missing" in told for vin in VINS)
    assert "number 00000-00000-0000: NOT_ON_RECORD" in told


def test_what_is_not_genuine_exits_1_and_shows_nothing_of_it(
    live_world: worlds.World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(live_world, tmp_path, Asked(destination="KZ"))
    head, body, signature = path.read_text().strip().split(".")
    path.write_text(f"{head}.{body[:-4]}AAAA.{signature}")
    exit_code, told, _ = run(str(path))
    assert (exit_code, "[WRONG_SIGNATURE]" in told, "UNREADABLE" in told) == (1, True, False)
    assert json.loads(run(str(path), "--json")[1])["claims"] is None
    for data in (b"", b"\x1b[2J\x00", b"A" * 700_000, b"[" * 700_000):
        path.write_bytes(data)
        exit_code, told, _ = run(str(path))
        assert (exit_code, "[MALFORMED]" in told, "\x1b" in told) == (1, True, False)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"nothing")))
    assert run("-")[:2] == (
        1,
        "-: not genuine TEST [MALFORMED]: it is no receipt, or it was damaged (not a compact JWS of three parts)\n",
    )


def test_what_cannot_be_told_exits_2(live_world: worlds.World, run: Run, tmp_path: Path) -> None:
    path = str(made(live_world, tmp_path))
    changes = {"state": SealState.SUSPENDED, "state_since": live_world.at.replace(microsecond=0)}
    live_world.publish(lambda entry: entry.model_copy(update=changes) if entry.purpose is Purpose.RECEIPT else entry)
    exit_code, told, _ = run(path)
    assert (exit_code, "cannot tell TEST [KEY_SUSPENDED]" in told, "UNREADABLE" in told) == (2, True, True)
    live_world.publish(lambda entry: None if entry.purpose is Purpose.RECEIPT else entry, forget=True)
    exit_code, told, _ = run(path)
    assert (exit_code, "[KEY_NOT_LISTED]" in told, "UNREADABLE" in told) == (2, True, False)


def test_wrong_use_and_a_missing_list_are_no_answers(live_world: worlds.World, run: Run, tmp_path: Path) -> None:
    assert run()[0] == 64
    assert run(str(tmp_path / "nowhere.jwt"))[0] == 64
    path = str(made(live_world, tmp_path))
    live_world.settings.trust_list_path.unlink()
    exit_code, told, complaints = run(path)
    assert (exit_code, told, "cannot be read" in complaints) == (70, "", True)


def test_no_register_is_needed(live_world: worlds.World, run: Run, tmp_path: Path) -> None:
    path = str(made(live_world, tmp_path))
    live_world.services.database.close()
    (live_world.folder / "register.sqlite3").unlink()
    assert run(path)[0] == 0
    assert not (live_world.folder / "register.sqlite3").exists()
