"""The operator's commands, as one runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from world import KAZAKHSTAN, YUNZHOU, World, sample

if TYPE_CHECKING:
    from pathlib import Path

    from signer.services.sealing import Issued


def signer(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIGNER_")}
    environment = {**clean, "SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "signer", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


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
    assert "VALID TEST" in signer(restored, "verify", tmp_path / "one.pdf").stdout
    refused = signer(restored, "db", "reimport", tmp_path / "one.pdf", "--by", "chen.sample", "--second", "lin.sample")
    assert (refused.returncode, one.number in refused.stderr) == (1, True)
    assert signer(restored, "db", "release", "--by", "chen.sample").returncode == 0
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
