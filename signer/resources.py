"""Where templates/ is: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

from functools import cache
from pathlib import Path


def templates_dir() -> Path:
    """Return the folder that holds `document/` and `web/`; the checkout's own folder wins over a packaged one."""
    package = Path(__file__).resolve().parent
    beside = package.parent / "templates"
    return beside if (beside / "document").is_dir() else package / "_templates"


@cache
def commit() -> str:
    """
    Return the commit of this code (hex), '' where it is not known.

    A release has it in a file that is made with it (`_commit`); a checkout says it itself.
    """
    package = Path(__file__).resolve().parent
    try:
        if (told := package / "_commit").is_file():
            return told.read_text(encoding="ascii").strip()
        return head_of(package.parent / ".git")
    except (OSError, ValueError):
        return ""


def head_of(git: Path) -> str:
    """Return what HEAD points to. Source: gitrepository-layout(5); a worktree's `.git` is a file that leads there."""
    if git.is_file():
        git = git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir: ").strip()
    shared = git / "commondir"
    common = git / shared.read_text(encoding="utf-8").strip() if shared.is_file() else git
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    name = head.removeprefix("ref: ")
    if name == head:
        return head
    for folder in (git, common):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="ascii").strip()
    packed = (common / "packed-refs").read_text(encoding="utf-8").splitlines()
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")


def sample(name: str) -> bytes:
    """Return a file with which one practises: `register.json` (parties), `pki.yaml` (a TEST PKI)."""
    package = Path(__file__).resolve().parent
    beside = {"register.json": "docs/samples", "pki.yaml": "keys.example"}[name]
    checkout = package.parent / beside / name
    return (checkout if checkout.is_file() else package / "_templates" / "practice" / name).read_bytes()
