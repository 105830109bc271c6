"""Drills, run command by command from the place to practise: what an operator types is what is tested."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRILLS = ROOT / "docs" / "how-to" / "drills"
_PATIENCE_S = 600
_SOAKED = pytest.mark.soak(reason="a sandbox and a dozen commands each: the drill that names a thief is run each time")
SAYS = {
    "a-seal-is-compromised.md": ("the seal is suspended until", "nobody takes it any more", "SEAL_REVOKED"),
    "restore-a-backup.md": ("the register of", "as of the backup", "VALID"),
    "publish-a-trust-list.md": ("list 2", "VALID"),
    "rotate-a-seal.md": ("verify-only", "SEAL_VERIFY_ONLY", "VALID"),
    "rename-a-company.md": ("nothing is sealed before a seal is in the new name", "VALID"),
}


def blocks(name: str) -> str:
    text = (DRILLS / name).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "a-seal-is-compromised.md" else _SOAKED) for name in SAYS]
)
def test_a_drill_goes_as_its_page_says(name: str, tmp_path: Path) -> None:
    kept = {word: value for word, value in os.environ.items() if not word.upper().startswith("SIGNER_")}
    environment = {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        ["sh", "-c", f"set -eu\n{blocks('practise.md')}\n{blocks(name)}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [words for words in SAYS[name] if words not in done.stdout] == [], done.stdout


def test_every_drill_is_run() -> None:
    assert {path.name for path in DRILLS.glob("*.md")} == {"practise.md", *SAYS}
