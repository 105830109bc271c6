"""The built wheel, installed away from the checkout, seals and verifies: no file is missing in it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from typing import TYPE_CHECKING

import world as worlds
from world import KAZAKHSTAN, ROOT, YUNZHOU, sample

from signer.domain.values import BEIJING

if TYPE_CHECKING:
    from pathlib import Path


def build(folder: Path) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    (wheel,) = folder.glob("*.whl")
    return wheel


_MADE = "import sys, hatchling.build as made; print(getattr(made, f'build_{sys.argv[1]}')(sys.argv[2]))"


def made(kind: str, folder: Path, *, of: Path = ROOT) -> bytes:
    """Make a wheel or an sdist of a source tree, as a release is made; return its bytes."""
    folder.mkdir()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1796083200"}
    command = [sys.executable, "-c", _MADE, kind, str(folder)]
    subprocess.run(command, cwd=of, env=environment, check=True, capture_output=True, timeout=300)
    (found,) = folder.iterdir()
    return found.read_bytes()


def test_made_twice_a_release_has_the_same_bytes_and_the_wheel_of_the_sdist_is_the_wheel(tmp_path: Path) -> None:
    sdist = made("sdist", tmp_path / "sdist")
    with tarfile.open(fileobj=io.BytesIO(sdist)) as packed:
        packed.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    wheel = made("wheel", tmp_path / "one")
    is_same = {
        "wheel": made("wheel", tmp_path / "two") == wheel,
        "wheel of the sdist": made("wheel", tmp_path / "three", of=source) == wheel,
        "sdist": made("sdist", tmp_path / "again") == sdist,
    }
    assert is_same == dict.fromkeys(is_same, True)


def install(wheel: Path, folder: Path) -> Path:
    """Lay the wheel out in an environment that borrows the dependencies, and nothing else, from this one."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin" / "python"


def test_the_wheel_seals_and_verifies_away_from_the_checkout(tmp_path: Path) -> None:
    python = install(build(tmp_path / "dist"), tmp_path / "venv")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SIGNER_", "PYTHON"))}
    environment = {**clean, "SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(tmp_path / "data"), "PYTHONUTF8": "1"}

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(
            [str(python), *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = run("-c", "import signer, signer.resources as r; print(signer.__file__, r.templates_dir())")
    assert all(str(tmp_path / "venv") in path for path in where.split())
    today = worlds.datetime.now(BEIJING).date()
    (tmp_path / "register.json").write_bytes(worlds.as_bytes(sample("register", today=today)))
    (tmp_path / "draft.json").write_bytes(worlds.as_bytes(sample(KAZAKHSTAN, today=today)))
    run("-m", "signer", "db", "upgrade")
    run("-m", "signer", "load-parties", "register.json")
    run("-m", "signer", "make-test-pki", ROOT / "keys.example" / "pki.yaml")
    people = ("--preparer", "chen.sample", "--approver", "lin.sample")
    run("-m", "signer", "issue", "draft.json", "--as", YUNZHOU, *people, "--out", "out")
    (pdf,) = (tmp_path / "out").iterdir()
    verdict = json.loads(run("-m", "signer", "verify", "--json", "--allow-test", pdf))
    assert (verdict["code"], verdict["test"]) == ("VALID", True)
