"""The tutorial's blocks, run in order as one script: what a reader types is what is tested."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-confirmation.md"


def test_the_tutorial_works_as_it_stands(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    own = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("SIGNER_")}
    environment = {**kept, "PATH": own, "TMPDIR": str(tmp_path), "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8"}
    script = "set -eu\n" + "\n".join(blocks)
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = re.findall(r"^\S+\.pdf: ([A-Z_]+) TEST", done.stdout, re.MULTILINE)
    assert verdicts == ["VALID", "VALID", "NOT_COVERED", "ALTERED"]
    assert re.findall(r"^exit (\d+)$", done.stdout, re.MULTILINE) == ["1", "1", "1"]
    numbers = re.findall(r"json: (\S+) (?:\(again\) )?->", done.stdout)
    assert len(numbers) == 2
    assert len(set(numbers)) == 1
    assert {"vin.check-digit", "outlet.none", "vin.live"} <= set(re.findall(r"\[([a-z.-]+)\]", done.stderr))
    assert not list(tmp_path.iterdir())
