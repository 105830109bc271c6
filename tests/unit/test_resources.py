"""Which commit a code is of, wherever it is told."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from signer import resources

if TYPE_CHECKING:
    from pathlib import Path

_ID = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    git(folder, *_ID, "commit", "-q", "--allow-empty", "-m", "Begin")
    return folder


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_a_checkout_says_its_commit_on_a_branch_detached_packed_and_in_a_worktree(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert resources.head_of(checkout / ".git") == commit
    git(checkout, "worktree", "add", "-q", "-b", "side/way", "beside")
    assert resources.head_of(checkout / "beside" / ".git") == commit
    git(checkout, "pack-refs", "--all")
    assert resources.head_of(checkout / ".git") == commit
    git(checkout, "checkout", "-q", "--detach")
    assert resources.head_of(checkout / ".git") == commit
