"""`signer sandbox` as somebody does it who has never seen this: one command, a number by its tokens, made anew."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import terminal
from served import answers, until
from world import KAZAKHSTAN, sample

if TYPE_CHECKING:
    from pathlib import Path


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return terminal.run("sandbox", *words, told=environment)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("practice") / "box"
    done = run(str(folder), "--no-serve")
    assert done.returncode == 0, done.stderr
    return folder


def ask(port: int, token: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    told = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
    data = None if body is None else json.dumps(body).encode()
    if data is None:
        del told["Content-Type"]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1{path}", data, told, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_with_the_tokens_of_a_sandbox_two_people_issue(made: Path) -> None:
    tokens = {part["name"]: part["token"] for part in json.loads((made / "tokens.json").read_text())[:2]}
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [terminal.on_path() / "signer", "sandbox", str(made), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            assert until(lambda: answers(port))
            erp, oa = tokens["preparer"], tokens["approver"]
            key = {"Idempotency-Key": "order-17"}
            draft = ask(port, erp, "POST", "/drafts", {"draft": sample(KAZAKHSTAN)}, **key)
            sent = ask(port, erp, "POST", f"/drafts/{draft['ref']}/approvals", **key, **{"If-Match": '"1-open"'})
            word = {"decision": "approve", "terms_digest": sent["terms_digest"], "external_ref": "OA-1"}
            done = ask(port, oa, "POST", f"/approvals/{sent['ref']}/decisions", word, **key)
            assert (done["state"], bool(done["number"])) == ("issued", True)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def test_it_reads_no_settings_of_another_deployment(made: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "production"
    done = run(str(made), "--no-serve", SIGNER_MODE="production", SIGNER_DATA_DIR=str(elsewhere))
    assert (done.returncode, elsewhere.exists()) == (0, False)
    assert "sgnr_test_" in done.stdout


def test_made_anew_the_former_tokens_are_forgotten_and_its_secrets_are_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    (folder / "THIS-IS-A-SANDBOX").write_text("being made\n")
    (folder / "half").touch()
    before = run(str(folder), "--no-serve").stdout
    after = run(str(folder), "--no-serve", "--reset").stdout
    assert not set(before.split("sgnr_test_")[1:]) & set(after.split("sgnr_test_")[1:])
    assert (folder / "tokens.json").stat().st_mode & 0o077 == 0
    assert not (folder / "half").exists()


@pytest.mark.parametrize("words", [(), ("--reset",)])
def test_a_folder_that_is_no_sandbox_is_left_as_it_is(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    done = run(str(tmp_path), "--no-serve", *words)
    assert (done.returncode, (tmp_path / "letters.txt").read_text()) == (1, "mine")
