"""
Point the conformance vectors of verification at a verifier: `python run_verify.py -- COMMAND [ARGUMENT...]`.

Standard library only; nothing of this project is imported. For every case COMMAND is called with two more arguments,
the path of a file and the path of a question (JSON), and must print one JSON object: its answer. What the question and
the answer hold: docs/how-to/check-your-own-verifier.md. Exit 0 if every answer is the expected one, 1 if not.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
VECTORS = HERE / "verify"
Vectors = dict[str, Any]


def load(folder: Path = VECTORS) -> Vectors:
    """Return the published vectors."""
    loaded: Vectors = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    return loaded


def file_of(case: Vectors, folder: Path = VECTORS) -> bytes:
    """Return the bytes that a case is about: its base file with the edits made, one after the other."""
    data = (folder / case["file"]).read_bytes() if case["file"] else b""
    for edit in case["edits"]:
        inserted = base64.b64decode(edit.get("insert", "")) * edit.get("times", 1)
        data = data[: edit["at"]] + inserted + data[edit["at"] + edit.get("remove", 0) :]
    return data


def bundle_of(case: Vectors, whole: Vectors) -> bytes:
    """Return the bytes of a case's offline bundle: its lines, trust lists by their names."""
    lines = [line if isinstance(line, str) else whole["lists"][line["list"]] for line in case["bundle"]]
    return "".join(f"{line}\n" for line in lines).encode()


def root_of(whole: Vectors) -> str:
    """Return the pinned root of all trust lists, in PEM."""
    text = whole["root"]
    body = "".join(f"{text[start : start + 64]}\n" for start in range(0, len(text), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----\n"


def write(case: Vectors, whole: Vectors, folder: Path) -> tuple[Path, Path]:
    """Write what a case needs into a folder; return the paths of file and question."""
    folder.mkdir(parents=True, exist_ok=True)
    file, question = folder / "file.pdf", folder / "question.json"
    bundle, root = folder / "bundle.jsonl", folder / "root.pem"
    file.write_bytes(file_of(case))
    bundle.write_bytes(bundle_of(case, whole))
    root.write_text(root_of(whole), encoding="ascii")
    asked = {"at": case["at"], "mode": case["mode"], "bundle": str(bundle), "root": str(root), **case["question"]}
    question.write_text(json.dumps(asked, ensure_ascii=False), encoding="utf-8")
    return file, question


def differing(expected: Any, answer: Any, place: str = "") -> list[str]:
    """Return where an answer is not what was expected; what an answer says beyond that is its own business."""
    if isinstance(expected, dict):
        if not isinstance(answer, dict):
            return [place or "answer"]
        found = []
        for key, value in expected.items():
            found += differing(value, answer.get(key), f"{place}.{key}" if place else key)
        return found
    if isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        return [
            one
            for n, pair in enumerate(zip(expected, answer, strict=True))
            for one in differing(*pair, f"{place}[{n}]")
        ]
    return [] if expected == answer and type(expected) is type(answer) else [place]


def ask(command: list[str], case: Vectors, whole: Vectors, folder: Path, timeout: float) -> Vectors | str:
    """Return a verifier's answer to a case, or a sentence on why there is none."""
    file, question = write(case, whole, folder)
    try:
        done = subprocess.run(
            [*command, str(file), str(question)], stdout=subprocess.PIPE, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {timeout} s"
    except OSError as error:
        return f"cannot be run: {error}"
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return f"printed no JSON (exit {done.returncode})"
    return answer if isinstance(answer, dict) else "printed no JSON object"


def run(
    command: list[str],
    whole: Vectors,
    *,
    names: tuple[str, ...] = (),
    keep: str | None = None,
    timeout: float = 60.0,
    out: Any = sys.stdout,
) -> int:
    """Ask a verifier every case; print a table; return how many answers differ."""
    cases = [case for case in whole["cases"] if not names or case["name"] in names]
    wide = max((len(case["name"]) for case in cases), default=4)
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(keep) if keep else Path(scratch)
        print(f"{'case':{wide}}  {'expected':17}  {'answered':17}  differs in", file=out)
        for case in cases:
            answer = ask(command, case, whole, base / case["name"], timeout)
            told = answer.get("code") if isinstance(answer, dict) else "-"
            places = [answer] if isinstance(answer, str) else differing(case["expected"], answer)
            wrong += bool(places)
            line = f"{case['name']:{wide}}  {case['expected']['code']:17}  {told!s:17}  {', '.join(places)}"
            print(line.rstrip(), file=out, flush=True)
    print(f"{len(cases)} cases, {len(cases) - wrong} as expected, {wrong} not", file=out)
    return wrong if cases else 1


def main(arguments: list[str]) -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--list", action="store_true", help="say what every case is about, and end")
    parser.add_argument("--write", metavar="FOLDER", help="write every case's files there, ask nobody, and end")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the files of every case there")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="for one answer (default 60)")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="after --: the verifier")
    asked = parser.parse_args(arguments)
    whole = load()
    if asked.list or asked.write:
        for case in whole["cases"]:
            if asked.write:
                write(case, whole, Path(asked.write) / case["name"])
                answer = json.dumps(case["expected"], ensure_ascii=False, indent=2)
                (Path(asked.write) / case["name"] / "expected.json").write_text(answer + "\n", encoding="utf-8")
            sys.stdout.write(f"{case['name']}: {case['expected']['code']}: {case['says']}\n")
        return 0
    command = asked.command[1:] if asked.command[:1] == ["--"] else asked.command
    if not command:
        parser.error("name the verifier after --")
    return 1 if run(command, whole, names=tuple(asked.case), keep=asked.keep, timeout=asked.timeout) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
