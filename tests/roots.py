"""Bare roots: empty folders in which the installer of an offline archive lays everything down, as if they were /."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from world import ROOT

sys.path.insert(0, str(ROOT / "deploy" / "offline"))

import build as making

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TINY = "tiny-thing"


def tiny_wheel(folder: Path) -> Path:
    """Make a wheel of one empty module: what stands for 120 MB of packages in the tests that count."""
    files = {
        "tiny_thing.py": "",
        "tiny_thing-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {TINY}\nVersion: 1.0\nLicense: MIT\n",
        "tiny_thing-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    path = folder / "tiny_thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(text)}\n")
            wheel.writestr(zipfile.ZipInfo(name), text)
        record = "tiny_thing-1.0.dist-info/RECORD"
        wheel.writestr(zipfile.ZipInfo(record), "".join(rows) + f"{record},,\n")
    return path


def archive(folder: Path, *, out: str = "out") -> Path:
    """Build an archive whose lock names one tiny package; return it."""
    (folder / "wheels").mkdir(exist_ok=True)
    digest = hashlib.sha256(tiny_wheel(folder / "wheels").read_bytes()).hexdigest()
    lock = folder / "lock.txt"
    lock.write_text(f"{TINY}==1.0 \\\n    --hash=sha256:{digest}\n")
    return making.build(folder / out, lock=lock, wheels=folder / "wheels")


def unpacked(archive: Path, folder: Path) -> Path:
    """Unpack an archive; return the folder in which its installer lies."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.stem


@cache
def without_network() -> tuple[str, ...]:
    """Return what a command is begun with so that it has no network, where this machine lets us take it away."""
    command = ("unshare", "--net")
    if os.geteuid():
        return ()
    try:
        done = subprocess.run([*command, "true"], check=False, capture_output=True)
    except FileNotFoundError:
        return ()
    return command if done.returncode == 0 else ()


def install(place: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the installer of an unpacked archive, by this interpreter, and without network where that can be."""
    command = [*without_network(), place / "install", "--python", sys.executable, *options]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


@dataclass
class Root:
    """A root in which everything was laid down."""

    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "var" / "lib" / "signer"

    @property
    def current(self) -> Path:
        return self.folder / "opt" / "signer" / "current"

    def borrow(self) -> Root:
        """Let the tests' own packages stand for those that a tiny archive does not hold."""
        (site,) = self.current.glob("venv/lib/python3*/site-packages")
        (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
        return self

    @property
    def environment(self) -> dict[str, str]:
        """What its services are told: the settings of its machine, and nothing of ours."""
        text = (self.folder / "etc" / "signer" / "signer.env").read_text(encoding="utf-8")
        told = dict(re.findall(r'^([A-Z0-9_]+)="?([^"\n]*)"?$', text, re.MULTILINE))
        return {"PATH": os.environ["PATH"], **told}

    def command(self, unit: str) -> list[str]:
        """Return what systemd would start for a unit of this root."""
        text = (self.folder / "etc" / "systemd" / "system" / unit).read_text(encoding="utf-8")
        words = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)[0].split()
        return [f"{self.folder}{words[0]}", *words[1:]]

    def start(self, unit: str, *more: str) -> subprocess.Popen[bytes]:
        """Start a unit, as a group of processes of its own."""
        started = subprocess.Popen(
            [*self.command(unit), *more], env=self.environment, cwd=self.data, start_new_session=True
        )
        self.running.append(started)
        return started

    def signer(self, *words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one command of this root, by its settings."""
        command = [str(self.current / "bin" / "signer-here"), *map(str, words)]
        clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, env=clean, cwd=self.data, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def stop(self) -> None:
        """End what was started here, by its id."""
        for one in self.running:
            if one.poll() is None:
                one.terminate()
        for one in self.running:
            one.wait(60)


@contextmanager
def laid_down(place: Path, folder: Path, *, settings: dict[str, Any], keys: Path) -> Iterator[Root]:
    """Lay an unpacked tiny archive down in a new root, with the settings and keys of a deployment."""
    root = Root(folder)
    told = settings | {"SIGNER_DATA_DIR": root.data}
    file = folder.with_suffix(".env")
    file.write_text("".join(f'{name}="{value}"\n' for name, value in told.items()), encoding="utf-8")
    done = install(place, "--root", folder, "--settings", file, "--keys", keys)
    assert done.returncode == 0, done.stderr
    try:
        yield root.borrow()
    finally:
        root.stop()
