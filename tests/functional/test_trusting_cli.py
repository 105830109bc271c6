"""Trust list and seals by the command line, in processes of their own: signing with nothing but the root's key."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import terminal
import yaml
from apps import create_app
from world import ROOT, YUNZHOU, World

from signer.domain.trust import Purpose
from signer.seal import pki
from signer.services.trust import make_test_pki

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

PKI = ROOT / "keys.example" / "pki.yaml"
BOTH = ("--by", "keeper.one", "--second", "keeper.two")


def run(*arguments: str | Path, told: dict[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return terminal.run(*arguments, told={"LC_ALL": "C.UTF-8", **told}, cwd=cwd)


@pytest.fixture
def kept(live_world: World) -> World:
    live_world.give("operator", "keeper.one", "keeper.two")
    return live_world


def signer(world: World, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run(*arguments, told={"SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(world.folder)})


def seal_of(world: World) -> str:
    listed = world.services.trust.current(world.at).of(Purpose.PDF_SEAL)
    return next(entry.certificate_digest for entry in listed if entry.legal_name == YUNZHOU)


def test_the_way_of_a_list_from_draft_to_use(kept: World, tmp_path: Path) -> None:
    seal, offline = seal_of(kept), tmp_path / "offline"
    offline.mkdir()
    for name in (pki.LIST_KEY_FILE, pki.PASSWORD_FILE):
        shutil.copy(kept.settings.keys / name, offline / name)
    change = {"certificate": seal[:16], "state": "verify-only"}
    changes: dict[str, Any] = {"schema": "signer.trust-changes/1", "change": [change]}
    (tmp_path / "changes.json").write_text(json.dumps(changes))
    drafted = signer(kept, "trust", "draft", tmp_path / "changes.json", "-o", offline / "next.json")
    assert drafted.returncode == 0, drafted.stderr
    keys = ("--key", pki.LIST_KEY_FILE, "--password-file", pki.PASSWORD_FILE)
    made = run("trust", "sign", "next.json", *keys, "-o", "next.jws", told={}, cwd=offline)
    assert made.returncode == 0, made.stderr
    assert sorted(path.name for path in offline.iterdir()) == sorted(
        ["next.json", "next.jws", pki.LIST_KEY_FILE, pki.PASSWORD_FILE]
    )
    checked = signer(kept, "trust", "check", offline / "next.jws")
    assert (checked.returncode, "state verify-only" in checked.stdout) == (0, True)
    published = signer(kept, "trust", "publish", offline / "next.jws", "--by", "keeper.one")
    assert published.returncode == 0, published.stderr
    shown: Any = json.loads(signer(kept, "trust", "show", "--json").stdout)
    states = {entry["certificate_digest"]: entry["state"] for entry in shown["entries"]}
    assert (shown["sequence"], shown["days_left"], states[seal]) == (2, 29, "verify-only")
    assert f"{seal[:16]} pdf-seal verify-only {YUNZHOU}" in signer(kept, "trust", "show").stdout
    again = signer(kept, "trust", "publish", offline / "next.jws", "--by", "keeper.one")
    assert (again.returncode, "/sequence: is 2; after 2 comes 3" in again.stderr) == (1, True)
    history = signer(kept, "trust", "check", "--history").stdout
    assert [line.split(":")[0].strip() for line in history.splitlines()[1:]] == ["list 2", "list 1"]


def test_a_list_of_another_root_is_refused_by_name(kept: World, tmp_path: Path) -> None:
    other = World(tmp_path / "other", at=kept.at)
    other.folder.mkdir()
    make_test_pki(other.settings, PKI.read_bytes(), at=kept.at)
    refused = signer(kept, "trust", "check", other.settings.trust_list_path)
    other.services.database.close()
    assert (refused.returncode, "pinned root" in refused.stderr) == (1, True)
    assert signer(kept, "trust", "check", tmp_path / "none.jws").returncode == 1


def test_seals_are_listed_limited_rotated_and_retired(kept: World) -> None:
    old = seal_of(kept)
    described = yaml.safe_load(PKI.read_bytes())
    first = next(each for each in described["makers"] if each["legal_name"] == YUNZHOU)
    described["makers"].append({**first, "id": "yunzhou-2"})
    refs = make_test_pki(kept.settings, yaml.safe_dump(described, allow_unicode=True).encode(), at=kept.at)
    new = next(digest for digest, ref in refs.items() if "yunzhou-2" in ref)
    limited = signer(kept, "seals", "limit", old[:8], "40", "--as", YUNZHOU, "--by", "keeper.one")
    assert (limited.returncode, "at most 40 uses a month" in limited.stdout) == (0, True)
    alone = signer(kept, "seals", "retire", old, "--as", YUNZHOU, "--by", "keeper.one", "--second", "keeper.one")
    assert (alone.returncode, "second person" in alone.stderr) == (1, True)
    rotated = signer(kept, "seals", "rotate", old, new, "--as", YUNZHOU, "--key", refs[new], *BOTH)
    assert rotated.returncode == 0, rotated.stderr
    lines = signer(kept, "seals", "list", "--as", YUNZHOU, "--json").stdout.splitlines()
    found = {one["certificate_digest"]: one for one in map(json.loads, lines)}
    assert (found[old]["state"], found[new]["state"], found[new]["monthly_limit"]) == ("verify-only", "active", 40)
    assert found[new]["warnings"] == []
    assert "0 of 40 uses this month, 109" in signer(kept, "seals", "list").stdout
    twice = signer(kept, "seals", "add", new, "--as", YUNZHOU, "--key", refs[new], "--by", "keeper.one")
    assert (twice.returncode, "enrolled already" in twice.stderr) == (1, True)
    assert signer(kept, "seals", "retire", new, "--as", YUNZHOU, *BOTH).returncode == 0


def test_a_company_is_renamed_with_its_seals_frozen(kept: World) -> None:
    name, told = "云帆样例汽车股份有限公司", ("--evidence", "样例通知书", "--announcement", "样例 1")
    rename = ("manufacturer", "rename", "--as", YUNZHOU, "--to", name, *told, *BOTH)
    assert signer(kept, *rename, "--until", "yesterday").returncode == 64
    done = signer(kept, *rename, "--until", "2026-01-31")
    assert done.returncode == 0, done.stderr
    assert name in done.stdout
    assert f"{seal_of(kept)[:16]}: verify-only" in done.stdout
    assert f"verify-only {name}" in signer(kept, "seals", "list", "--as", name).stdout


def test_the_page_for_offices_without_network_is_what_the_service_serves(kept: World, tmp_path: Path) -> None:
    wrote = signer(kept, "paper-page", tmp_path / "v.html")
    assert wrote.returncode == 0, wrote.stderr
    served = create_app(kept.services).test_client().get("/v").data
    assert (tmp_path / "v.html").read_bytes() == served
    assert f"SHA-256 {hashlib.sha256(served).hexdigest()}" in wrote.stdout
