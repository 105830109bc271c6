"""
Make one archive from which signer is installed on a machine without internet: `python deploy/offline/build.py`.

In it: our own wheel and every package of the lock (fonts among them) as wheels, all of them by hash, the installer,
units, samples for proxies, documents, the bill of materials. Its packages are for this interpreter's version and this
machine's system. The same inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bill

ROOT = bill.ROOT
DOCS = ("docs/index.md", "docs/how-to", "docs/reference", "docs/explanation", "docs/glossary.md", "CHANGELOG.md")
MADE_AT = 1_577_836_800
"""The time of every file in an archive (2020-01-01): when it was made says nothing, what is in it does."""
_OWN_WHEEL = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"


def python_tag() -> str:
    """Return the tag of this interpreter, as wheels name it."""
    return f"cp{sys.version_info.major}{sys.version_info.minor}"


def build_own(folder: Path) -> Path:
    """Build our own wheel into a folder: no code of ours runs, and nothing is fetched."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _OWN_WHEEL, str(folder.resolve())]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return folder / done.stdout.split()[-1]


def fetch(lock: Path, folder: Path) -> None:
    """Fetch every package of a lock as a wheel, from wherever pip takes them here; the hashes say if it is the one."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    exact = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--requirement", str(lock)]
    subprocess.run([*command, *exact, "--dest", str(folder)], check=True)


def lay_out(folder: Path, *, lock: Path, wheels: Path | None, own: Path) -> None:
    """Put everything that an archive holds into an empty folder."""
    version, carried = bill.own_version(), folder / "wheels"
    carried.mkdir(parents=True)
    if wheels is None:
        fetch(lock, carried)
    else:
        for path in sorted(wheels.glob("*.whl")):
            shutil.copy(path, carried)
    shutil.copy(own, carried)
    text = lock.read_text(encoding="utf-8")
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    (folder / "packages.txt").write_text(f"{text}signer=={version} \\\n    --hash=sha256:{digest}\n", encoding="utf-8")
    (folder / "VERSION").write_text(f"{version}\n", encoding="utf-8")
    (folder / "PYTHON").write_text(f"{python_tag()}\n", encoding="utf-8")
    bill.write(folder, version=version, lock=text, known=bill.of_wheels(carried))
    deploy = ROOT / "deploy"
    for name in ("install", "settings.env"):
        shutil.copy(deploy / "offline" / name, folder)
    for name, place in (
        ("bin", "offline/bin"),
        ("units", "systemd"),
        ("proxies", "proxies"),
        ("container", "container"),
    ):
        shutil.copytree(deploy / place, folder / name)
    for name in DOCS:
        target = folder / "docs" / name.removeprefix("docs/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target)
        else:
            shutil.copy(ROOT / name, target)
    sums = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")


def pack(folder: Path, archive: Path, *, name: str) -> None:
    """Pack a folder as a tar file, wheels being compressed already: same files, same bytes."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as out:
        for path in sorted(folder.rglob("*")):
            if not path.is_file():
                continue
            member = tarfile.TarInfo(f"{name}/{path.relative_to(folder)}")
            member.size, member.mtime = path.stat().st_size, MADE_AT
            member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as data:
                out.addfile(member, data)


def build(out: Path, *, lock: Path = bill.LOCK, wheels: Path | None = None) -> Path:
    """Make the archive in a folder, with its SHA-256 beside it, and return its path."""
    out.mkdir(parents=True, exist_ok=True)
    system = re.sub(r"[^a-z0-9]+", "_", f"{platform.system()}_{platform.machine()}".lower())
    name = f"signer-{bill.own_version()}-{python_tag()}-{system}"
    with tempfile.TemporaryDirectory(dir=out) as work:
        own = build_own(Path(work) / "own")
        lay_out(Path(work) / name, lock=lock, wheels=wheels, own=own)
        archive = out / f"{name}.tar"
        pack(Path(work) / name, archive, name=name)
    with archive.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    (out / f"{name}.tar.sha256").write_text(f"{digest}  {archive.name}\n", encoding="utf-8")
    return archive


def main() -> int:
    """Make the archive, and say what it is."""
    parser = argparse.ArgumentParser(description="One archive that installs signer without internet.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--lock", type=Path, default=bill.LOCK)
    parser.add_argument("--wheels", type=Path, help="take the packages' wheels from this folder; ask no index")
    given = parser.parse_args()
    archive = build(given.out, lock=given.lock, wheels=given.wheels)
    print(f"{archive} ({archive.stat().st_size:,} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
