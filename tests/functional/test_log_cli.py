"""`signer log`: a proof made, verified and refused, and a log watched from a folder, as one runs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import terminal
from world import KAZAKHSTAN, YUNZHOU, World, sample

from signer.seal import log_trust
from signer.transparency import tiles

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def signer(world: World, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return terminal.run(*arguments, told={"SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(world.folder)})


def copy_of(world: World, folder: Path) -> Path:
    """Copy the log's files into a folder, as anybody may."""
    book, note = world.services.logbook, world.services.logbook.checkpoint()
    folder.mkdir(exist_ok=True)
    (folder / "checkpoint").write_text(note, encoding="utf-8")
    for tile in tiles.of_tree(int(note.splitlines()[1])):
        (folder / tile.address).parent.mkdir(parents=True, exist_ok=True)
        (folder / tile.address).write_bytes(book.tile(tile))
    return folder


def test_a_proof_is_made_verified_and_refused(live_world: World, tmp_path: Path) -> None:
    made = live_world.issue(sample(KAZAKHSTAN, today=live_world.at.date()))
    live_world.services.logbook.settle()
    (tmp_path / "one.pdf").write_bytes(made.pdf)
    out, trust = tmp_path / "proof.json", live_world.services.trust.current(live_world.at)
    (key,) = log_trust.keys(trust, at=live_world.at)
    assert signer(live_world, "log", "prove", made.number, "--out", out).returncode == 0
    told = signer(live_world, "log", "verify", out, "--key", key.text)
    assert (told.returncode, f"proven: issued of {made.number}" in told.stdout) == (0, True)
    told = signer(live_world, "log", "verify", tmp_path / "one.pdf")
    assert (told.returncode, f"proven: intent of {made.number}" in told.stdout) == (0, True), told.stderr
    head = tmp_path / "head"
    head.write_text(live_world.services.logbook.checkpoint(), encoding="utf-8")
    assert signer(live_world, "log", "verify", out, "--checkpoint", head).returncode == 0
    plain = json.loads(out.read_bytes())
    out.write_text(out.read_text(encoding="utf-8").replace(f'"index":{plain["index"]}', '"index":0'), encoding="utf-8")
    assert signer(live_world, "log", "verify", out, "--key", key.text).returncode == 1
    other = "other.example+cd0afe5c+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    assert signer(live_world, "log", "verify", out, "--key", other).returncode in (2, 64)
    (tmp_path / "none.json").write_text("{}")
    assert signer(live_world, "log", "verify", tmp_path / "none.json", "--key", key.text).returncode == 64


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_log_is_watched_from_a_folder(live_world: World, tmp_path: Path, form: tuple[str, ...]) -> None:
    live_world.issue(sample(KAZAKHSTAN, today=live_world.at.date()))
    live_world.services.logbook.settle()
    folder, state = copy_of(live_world, tmp_path / "log"), tmp_path / "state.json"
    (key,) = log_trust.keys(live_world.services.trust.current(live_world.at), at=live_world.at)
    tag = signer(live_world, "log", "tag", "--as", YUNZHOU)
    assert tag.returncode == 0
    (tmp_path / "tag").write_text(tag.stdout)
    lists = ("--trust-list", live_world.settings.trust_list_path, "--root", live_world.settings.trust_root_path)
    uscc = sample("register")["manufacturers"][0]["record"]["uscc"]
    watch = ("log", "monitor", folder, "--state", state, "--tag-file", tmp_path / "tag", *lists, "--uscc", uscc, *form)
    first = signer(live_world, *watch)
    assert (first.returncode, first.stdout.count("issued")) == (0, 1)
    assert signer(live_world, *watch).returncode == 0
    tile = folder / "tile/entries/000.p/2"
    tile.write_bytes(tile.read_bytes()[:-1] + b"\0")
    state.unlink()
    altered = signer(live_world, *watch)
    assert (altered.returncode, "REWRITTEN" in altered.stdout) == (1, True)
    (folder / "checkpoint").unlink()
    assert signer(live_world, *watch).returncode == 2
    assert signer(live_world, "log", "monitor", folder, "--state", state, "--key", "x").returncode == 64
    assert key.text
