"""The operator's commands, as one runs them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import terminal
from world import KAZAKHSTAN, YUNZHOU, World, sample

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from signer.services.sealing import Issued


def signer(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return terminal.run(*arguments, told={"SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(folder)})


def issued(world: World) -> Issued:
    return world.issue(sample(KAZAKHSTAN, today=world.at.date()))


def test_a_register_is_backed_up_restored_released_and_scrubbed(live_world: World, tmp_path: Path) -> None:
    folder, backup, restored = live_world.folder, tmp_path / "backup.zip", tmp_path / "restored"
    one = issued(live_world)
    (tmp_path / "one.pdf").write_bytes(one.pdf)
    made = signer(folder, "db", "backup", backup)
    assert (made.returncode, "1 sealed files" in made.stdout) == (0, True)
    assert signer(folder, "db", "backup", backup).returncode == 1
    shutil.copytree(folder / "keys", restored / "keys")
    assert signer(restored, "db", "upgrade").returncode == 0
    told = signer(restored, "db", "restore", backup)
    assert (told.returncode, "reimport" in told.stdout) == (0, True)
    assert "VALID_WITH_NOTICE TEST" in signer(restored, "verify", tmp_path / "one.pdf").stdout
    refused = signer(restored, "db", "reimport", tmp_path / "one.pdf", "--by", "chen.sample", "--second", "lin.sample")
    assert (refused.returncode, one.number in refused.stderr) == (1, True)
    people = ("--by", "chen.sample", "--second", "lin.sample", "--reason", "nothing was issued in between")
    early = signer(restored, "db", "close-gap", *people)
    assert (early.returncode, "release" in early.stderr) == (1, True)
    assert signer(restored, "db", "release", "--by", "chen.sample").returncode == 0
    assert signer(restored, "db", "close-gap", *people).stdout.startswith("1 closed")
    assert "VALID TEST" in signer(restored, "verify", tmp_path / "one.pdf").stdout
    scrubbed = signer(restored, "db", "scrub")
    assert (scrubbed.returncode, scrubbed.stdout) == (0, "1 sound, 0 damaged, 0 missing\n")
    for path in (restored / "blobs").rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    scrubbed = signer(restored, "db", "scrub")
    assert (scrubbed.returncode, f"damaged: {one.number}" in scrubbed.stdout) == (1, True)


def test_the_worker_exports_and_redaction_answer(live_world: World) -> None:
    one, folder = issued(live_world), live_world.folder
    worked = signer(folder, "worker", "--once")
    assert (worked.returncode, "re-verify: 1 sound" in worked.stdout) == (0, True)
    row = json.loads(signer(folder, "export", "seal-register", "--as", YUNZHOU, "--format", "jsonl").stdout)
    assert row["number"] == one.number
    assert "confirmation.issued" in signer(folder, "export", "audit", "--as", YUNZHOU).stdout
    assert signer(folder, "redact", "person", "chen.sample", "--by", "lin.sample").returncode == 0
    assert signer(folder, "redact", "person", "nobody", "--by", "lin.sample").returncode == 1
    assert "abandoned" not in signer(folder, "maintain").stdout


def test_jobs_are_listed_added_retried_and_named_when_given_up(live_world: World) -> None:
    one, folder = issued(live_world), live_world.folder
    asked = ("--by", "chen.sample")
    added = signer(folder, "jobs", "add", "re-verify", "--number", one.number, *asked)
    assert (added.returncode, added.stdout.startswith("job ")) == (0, True)
    assert signer(folder, "jobs", "add", "re-verify", *asked).returncode == 1
    listed = signer(folder, "jobs", "list")
    assert (listed.returncode, f"re-verify ({one.number}): waiting" in listed.stdout) == (0, True)
    signer(folder, "worker", "--once")
    listed = signer(folder, "jobs", "list")
    assert f"re-verify ({one.number}): done: {one.number}: VALID" in listed.stdout
    live_world.change("UPDATE jobs SET state = 'failed', error = 'gone' WHERE argument IS NOT NULL")
    listed = signer(folder, "jobs", "list", "--failed", "--json")
    (row,) = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (listed.returncode, row["error"]) == (1, "gone")
    assert "jobs retry" in signer(folder, "doctor").stdout
    assert signer(folder, "jobs", "retry", str(row["id"])).returncode == 0
    assert signer(folder, "jobs", "retry", "99").returncode == 1
    signer(folder, "worker", "--once")
    assert signer(folder, "jobs", "list", "--failed").returncode == 0


def test_what_was_withdrawn_since_the_backup_is_named_by_the_restore(live_world: World, tmp_path: Path) -> None:
    folder, backup, restored = live_world.folder, tmp_path / "backup.zip", tmp_path / "restored"
    one = issued(live_world)
    signer(folder, "db", "backup", backup)
    people = ("--by", "chen.sample", "--second", "lin.sample", "--reason", "error")
    assert signer(folder, "withdraw", one.number, "--as", YUNZHOU, *people).returncode == 0
    shutil.copytree(folder / "keys", restored / "keys")
    shutil.copy(folder / "endings.jsonl", restored)
    assert signer(restored, "db", "upgrade").returncode == 0
    told = signer(restored, "db", "restore", backup)
    assert (told.returncode, f"{one.number}: held" in told.stdout) == (0, True)


def test_a_number_that_is_not_pending_is_not_abandoned(live_world: World) -> None:
    one = issued(live_world)
    asked = ("--as", YUNZHOU, "--by", "chen.sample", "--reason", "wrong vehicles were typed")
    refused = signer(live_world.folder, "abandon", one.number, *asked)
    assert (refused.returncode, "not pending" in refused.stderr) == (1, True)
