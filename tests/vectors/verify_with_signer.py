"""
This project's verifier as `run_verify.py` asks one: `run_verify.py -- python tests/vectors/verify_with_signer.py`.

It verifies as `signer verify --offline` does, by an offline bundle and a pinned root, but as of the question's time.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

from signer import logs
from signer.domain.evidence import Asked
from signer.seal import reading, trust
from signer.seal.findings import QUESTIONS
from signer.services.offline import OfflineVerifying
from signer.services.shelf import Shelf
from signer.verification import report
from signer.verification.policy import Policy

_TEXTS = {str(which): (asked.zh, asked.en) for which, asked in QUESTIONS.items()}


def answer(data: bytes, question: dict[str, Any], *, bundle: bytes, root: bytes, judge: Any = None) -> dict[str, Any]:
    """Return the verdict on a file as JSON; `judge` defaults to the sandboxed one."""
    at = datetime.fromisoformat(question["at"])
    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder), mode=question["mode"], clock=lambda: at)
        shelf.take(io.BytesIO(bundle), pinned=(trust.read_root(root),))
        verifying = OfflineVerifying(
            shelf=shelf, judge=judge or reading.facts_of, policy=Policy(mode=question["mode"]), clock=lambda: at
        )
        applied_on = question.get("applied_on")
        asked = Asked(
            vins=tuple(question.get("vins", ())),
            destination=question.get("destination"),
            exporter=question.get("exporter"),
            applied_on=date.fromisoformat(applied_on) if applied_on else None,
        )
        return report.as_json(verifying.file(data, asked), "en", check_texts=_TEXTS)


def main(file: str, question: str) -> None:
    """Print the answer, and nothing else."""
    logs.configure("error")
    asked = json.loads(Path(question).read_text(encoding="utf-8"))
    told = answer(
        Path(file).read_bytes(), asked, bundle=Path(asked["bundle"]).read_bytes(), root=Path(asked["root"]).read_bytes()
    )
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
