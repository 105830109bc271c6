"""
Seal the samples with TEST seals, tamper with a copy, verify everything, and print what came out.

Run by `make demo`. Everything is made anew in `.demo/`; nothing in it has any effect. `--once` is for machines:
it exits 0 only if every verdict is as it must be.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import unicodedata
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / ".demo"
SAMPLES = ROOT / "docs" / "samples"
NUMBERS: dict[str, str] = {}
_RELATIVE = re.compile(r'"today([+-][0-9]{1,5})"')


def signer(*arguments: str, may_exit: tuple[int, ...] = (0,)) -> str:
    """Run the command line as a user would, and return what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("SIGNER_")}
    environment = {**clean, "SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(DEMO / "data"), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "signer", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in may_exit:
        sys.stderr.write(done.stdout + done.stderr)
        sys.exit(f"demo: `signer {' '.join(arguments)}` ended with {done.returncode}")
    return done.stdout


def with_real_dates(text: str) -> str:
    """Put real dates for `"today-82"`: the samples never age."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    return _RELATIVE.sub(lambda match: f'"{today + timedelta(days=int(match[1]))}"', text)


def set_up() -> None:
    """Make register, keys and parties in an empty folder."""
    shutil.rmtree(DEMO, ignore_errors=True)
    (DEMO / "drafts").mkdir(parents=True)
    for sample in sorted(SAMPLES.glob("*.json")):
        target = DEMO / ("register.json" if sample.name == "register.json" else f"drafts/{sample.name}")
        target.write_text(with_real_dates(sample.read_text(encoding="utf-8")), encoding="utf-8")
    signer("db", "upgrade")
    signer("load-parties", str(DEMO / "register.json"))
    signer("make-test-pki", str(ROOT / "keys.example" / "pki.yaml"))


def people() -> dict[str, tuple[str, str]]:
    """Return preparer and approver of each manufacturer, by legal name."""
    parties = json.loads((DEMO / "register.json").read_text(encoding="utf-8"))
    found = {}
    for maker in parties["manufacturers"]:
        mine = [member for member in parties["memberships"] if member["manufacturer"] == maker["record"]["uscc"]]
        roles = {role: member["person"] for member in mine for role in member["roles"]}
        found[maker["record"]["legal_name"]] = (roles["preparer"], roles["approver"])
    return found


def issue() -> dict[str, Path]:
    """Seal every draft; return the files that came out, by the drafts' names."""
    made, drafts = {}, defaultdict(list)
    for draft in sorted((DEMO / "drafts").glob("*.json")):
        drafts[json.loads(draft.read_text(encoding="utf-8"))["manufacturer"]].append(draft)
    for maker, mine in drafts.items():
        made |= sealed(signer("issue", *map(str, mine), *as_maker(maker), "--out", str(DEMO / "sealed")))
    return dict(sorted(made.items()))


def as_maker(maker: str) -> tuple[str, ...]:
    """Return the options that say who seals."""
    preparer, approver = people()[maker]
    return ("--as", maker, "--preparer", preparer, "--approver", approver)


def sealed(said: str) -> dict[str, Path]:
    """Read what `signer issue` printed, and give each file its draft's name."""
    found = {}
    for line in said.splitlines():
        draft, made = line.split(": ", 1)[0], Path(line.rsplit(" -> ", 1)[1])
        name = Path(draft).stem
        found[name] = made.rename(made.with_name(f"{name}.pdf"))
        NUMBERS[name] = made.stem
    return found


def live(made: dict[str, Path]) -> dict[Path, str]:
    """Withdraw, supersede and partly supersede three of them; return every file with the verdict it must get."""
    expected = dict.fromkeys(made.values(), "VALID")
    withdrawn, whole, part = (name for name in made if "-to-be-" in name)
    draft = json.loads((DEMO / "drafts" / f"{withdrawn}.json").read_text(encoding="utf-8"))
    maker = draft["manufacturer"]
    by, second = people()[maker]
    agreed = ("--as", maker, "--by", by, "--second", second, "--reason", "sale-fell-through")
    signer("withdraw", NUMBERS[withdrawn], *agreed)
    expected[made[withdrawn]] = "WITHDRAWN"
    for name, kept, code in ((whole, slice(None), "SUPERSEDED"), (part, slice(2, None), "PARTLY_SUPERSEDED")):
        changed = json.loads((DEMO / "drafts" / f"{name}.json").read_text(encoding="utf-8"))
        changed["vehicles"] = changed["vehicles"][kept]
        changed["destination"] = {"country": "AE", "port": "Jebel Ali"}
        successor = DEMO / f"{name.replace('to-be', 'successor-of')}.json"
        successor.write_text(json.dumps(changed, ensure_ascii=False, indent=2), encoding="utf-8")
        options = (*as_maker(maker), "--out", str(DEMO / "sealed"))
        (newer,) = sealed(signer("supersede", NUMBERS[name], str(successor), *options)).values()
        expected |= {made[name]: code, newer: "VALID"}
    return expected


def tamper(sealed: Path) -> dict[Path, str]:
    """Make copies that are not as they were sealed."""
    folder = DEMO / "tampered"
    folder.mkdir()
    data = sealed.read_bytes()
    middle = len(data) // 2
    copies = {
        "one-byte-changed.pdf": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "one-byte-appended.pdf": data + b" ",
    }
    for name, changed in copies.items():
        (folder / name).write_bytes(changed)
    return dict.fromkeys((folder / name for name in copies), "ALTERED")


def check(expected: dict[Path, str]) -> bool:
    """Verify every file and print the table; tell whether all verdicts are as they must be."""
    said = signer("verify", "--json", *map(str, expected), may_exit=(0, 1, 2, 3, 4))
    verdicts = {Path(line["file"]): line for line in map(json.loads, said.splitlines())}
    rows = [("file", "number", "verdict", "must be", "sealed by")]
    for path, must in expected.items():
        verdict = verdicts[path]
        maker = verdict["issuer"]["name"] if verdict["issuer"] else "-"
        test = " (TEST)" if verdict["test"] else ""
        rows.append((str(path.relative_to(ROOT)), verdict["number"] or "-", verdict["code"] + test, must, maker))
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)).rstrip())
    return all(verdicts[path]["code"] == must for path, must in expected.items())


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def main() -> None:
    """Run the demonstration."""
    begun = time.monotonic()
    set_up()
    made = issue()
    expected = live(made) | tamper(next(iter(made.values())))
    is_right = check(expected)
    outcome = "every verdict is as it must be" if is_right else "A VERDICT IS WRONG"
    print(f"\n{outcome}, after {time.monotonic() - begun:.1f} s")
    print("TEST seals only: nothing here has any effect. Look at a page: .demo/sealed/01-kazakhstan-three-cars.pdf")
    print("Verify one yourself:\n  SIGNER_DATA_DIR=.demo/data .venv/bin/signer verify .demo/sealed/*.pdf --allow-test")
    sys.exit(0 if is_right else 1)


if __name__ == "__main__":
    main()
