"""One archive lays signer down under a bare root: no network, no other hash, no loose mode."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
import roots
import world as worlds
from roots import making
from served import until
from world import KAZAKHSTAN, ROOT, YUNZHOU, sample

from signer.domain.values import BEIJING

if TYPE_CHECKING:
    from pathlib import Path

OPERATORS = 10001 if os.geteuid() == 0 else os.geteuid()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return roots.archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture
def place(archive: Path, tmp_path: Path) -> Path:
    return roots.unpacked(archive, tmp_path)


def modes(root: Path) -> dict[str, tuple[str, int]]:
    """Return of every name below /etc and /var its mode and its owner."""
    found = [path for top in ("etc", "var") for path in (root / top).rglob("*")]
    return {f"/{path.relative_to(root)}": (f"{path.stat().st_mode & 0o777:o}", path.stat().st_uid) for path in found}


def test_it_lies_where_the_units_look_with_owners_and_modes_and_a_second_run_keeps_what_was_changed(
    place: Path, tmp_path: Path
) -> None:
    root, keys = tmp_path / "root", tmp_path / "keys"
    (keys / "seals").mkdir(parents=True)
    (keys / "seals" / "maker.pin").write_text("0000")
    image = (place / "container" / "Containerfile").read_text(encoding="utf-8")
    ((_, options),) = re.findall(r"^RUN (/archive/install) (.+)$", image, re.MULTILINE)
    first = roots.install(place, *options.replace("/laid", str(root)).split(), "--keys", keys)
    assert first.returncode == 0, first.stderr
    for name in re.findall(r"^COPY --from=laid .*?/laid(/\S+)", image, re.MULTILINE):
        assert (root / name[1:]).exists(), name
    found = modes(root)
    mine, theirs = os.geteuid(), OPERATORS
    assert {name: found[name] for name in found if name.startswith(("/etc/signer", "/var/"))} == {
        "/etc/signer": ("750", mine),
        "/etc/signer/signer.env": ("640", mine),
        "/var/lib": ("755", mine),
        "/var/lib/signer": ("700", theirs),
        "/var/lib/signer/keys": ("700", theirs),
        "/var/lib/signer/keys/seals": ("700", theirs),
        "/var/lib/signer/keys/seals/maker.pin": ("600", theirs),
        "/var/backups": ("755", mine),
        "/var/backups/signer": ("700", theirs),
    }
    for unit in (root / "etc" / "systemd" / "system").iterdir():
        text = unit.read_text(encoding="utf-8")
        for name in re.findall(r"(?:ExecStart=|exec |EnvironmentFile=)(/(?:opt|etc)\S+)", text):
            assert (root / name[1:]).exists(), (unit.name, name)
    version = [root / "opt/signer/current/bin/signer", "--version"]
    told = subprocess.run(version, capture_output=True, text=True, check=False)
    assert "No module named" in told.stderr  # the tiny archive brings no package of ours: none is borrowed from outside
    (root / "etc/signer/signer.env").write_text("SIGNER_MODE=production\n")
    (keys / "other.pin").write_text("1111")
    again = roots.install(place, "--root", root, "--keys", keys)
    assert again.returncode == 0, again.stderr
    assert (root / "etc/signer/signer.env").read_text() == "SIGNER_MODE=production\n"
    assert modes(root).keys() == found.keys()
    assert len(list((root / "opt/signer/releases").iterdir())) == 1
    (root / "var/lib/signer/keys/seals/maker.pin").chmod(0o640)
    loose = roots.install(place, "--root", root)
    assert (loose.returncode, "open to others: " in loose.stderr, "maker.pin" in loose.stderr) == (1, True, True)


def test_an_archive_in_which_a_byte_was_changed_is_refused_and_one_whose_sums_were_changed_too(
    place: Path, tmp_path: Path
) -> None:
    wheel = next((place / "wheels").glob("tiny*"))
    wheel.write_bytes(wheel.read_bytes().replace(b"License: MIT", b"License: mit"))
    damaged = roots.install(place, "--root", tmp_path / "root")
    assert (damaged.returncode, "damaged, or was changed" in damaged.stderr) == (1, True)
    assert not (tmp_path / "root").exists()
    lines = [line for line in (place / "SHA256SUMS").read_text().splitlines(keepends=True) if "tiny" not in line]
    (place / "SHA256SUMS").write_text("".join(lines))
    unlike = roots.install(place, "--root", tmp_path / "root")
    assert (unlike.returncode, "DO NOT MATCH THE HASHES" in unlike.stderr) == (1, True), unlike.stderr
    assert not (tmp_path / "root/opt/signer/current").exists()


def test_another_python_than_the_packages_are_for_is_refused_before_anything_is_written(
    place: Path, tmp_path: Path
) -> None:
    (place / "PYTHON").write_text("cp39\n")
    sums = (place / "SHA256SUMS").read_text().splitlines(keepends=True)
    (place / "SHA256SUMS").write_text("".join(line for line in sums if not line.endswith("  PYTHON\n")))
    other = roots.install(place, "--root", tmp_path / "root")
    assert (other.returncode, "the packages are for Python cp39" in other.stderr) == (1, True)
    assert not (tmp_path / "root").exists()


def test_the_same_inputs_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    assert roots.archive(tmp_path).read_bytes() == archive.read_bytes()


def test_it_carries_what_it_is_made_of_the_documents_and_the_samples_for_proxies(place: Path) -> None:
    bill = json.loads((place / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert [(part["name"], part["licenses"]) for part in bill["components"]] == [
        (roots.TINY, [{"license": {"name": "MIT"}}])
    ]
    assert bill["components"][0]["hashes"][0]["content"] in (place / "packages.txt").read_text()
    for name in ("docs/how-to/install-without-internet.md", "proxies/nginx.conf", "units/signer-web.service"):
        assert (place / name).is_file(), name


@pytest.mark.soak
def test_the_whole_archive_seals_and_verifies_by_what_it_brings_alone(tmp_path: Path) -> None:
    """It is fetched from wherever pip takes packages here; laid down without network, and nothing is borrowed."""
    whole = making.build(tmp_path / "out")
    place, root = roots.unpacked(whole, tmp_path), roots.Root(tmp_path / "root")
    (tmp_path / "own.env").write_text(f"SIGNER_MODE=test\nSIGNER_DATA_DIR={root.data}\n")
    done = roots.install(place, "--root", root.folder, "--settings", tmp_path / "own.env")
    assert done.returncode == 0, done.stderr
    (tmp_path / "register.json").write_bytes(worlds.as_bytes(sample("register", today=datetime.now(BEIJING).date())))
    (tmp_path / "draft.json").write_bytes(worlds.as_bytes(sample(KAZAKHSTAN, today=datetime.now(BEIJING).date())))
    root.signer("db", "upgrade")
    root.signer("load-parties", tmp_path / "register.json")
    root.signer("make-test-pki", ROOT / "keys.example" / "pki.yaml")
    people = ("--preparer", "chen.sample", "--approver", "lin.sample")
    root.signer("issue", tmp_path / "draft.json", "--as", YUNZHOU, *people, "--out", tmp_path / "papers")
    (paper,) = (tmp_path / "papers").iterdir()
    asked = ("verify", "--json", "--allow-test", paper)  # again where a child's five seconds end before it has begun
    assert until(lambda: json.loads(root.signer(*asked, check=False).stdout)["code"] == "VALID", within_s=120)
    for name in ("psycopg", "pkcs11", "obstore"):  # what a lone machine has no need of, and two have
        python = [root.current / "venv" / "bin" / "python", "-I", "-c", f"import {name}"]
        subprocess.run(python, check=True)
