"""Fuzz guards, files and values for FUZZ_MINUTES (10) in all; what is found lies in build/fuzz, and fails the run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "build" / "fuzz"
SHARES = {"guards": 0.1, "files": 0.5, "values": 0.4}
MOST_MEGABYTES, MOST_BYTES = 1024, 100_000
HANGING_S = 60
"""By the clock on the wall; five seconds of processor time are counted by the worker."""


def fuzz(name: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own, and tell whether it was clean."""
    folder = FOLDER / name
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={HANGING_S}",
        f"-rss_limit_mb={MOST_MEGABYTES}",
        f"-max_len={MOST_BYTES}",
        "-print_final_stats=1",
    ]
    command = [sys.executable, str(HERE / "worker.py"), name, str(folder), *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    log = done.stdout.decode("utf-8", "replace")
    (folder / "log.txt").write_text(log, encoding="utf-8")
    ended = re.findall(r"^#\d+\s+DONE .*$", log, re.MULTILINE)
    finds = sorted(folder.glob("find-*"))
    is_clean = done.returncode == 0 and not finds
    print(f"{name}: {seconds} s, {ended[-1] if ended else 'ended early'}", flush=True)
    for find in finds:
        print(f"  found: {find}")
    if not is_clean:
        print("\n".join(log.splitlines()[-40:]))
    return is_clean


def main() -> int:
    """Run each target for its share of the time."""
    minutes = float(os.environ.get("FUZZ_MINUTES", "10"))
    chosen = sys.argv[1:] or list(SHARES)
    shutil.rmtree(FOLDER, ignore_errors=True)
    whole = sum(SHARES[name] for name in chosen)
    clean = [fuzz(name, max(5, round(minutes * 60 * SHARES[name] / whole))) for name in chosen]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
