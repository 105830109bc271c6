"""Measure, print one table, and write build/bench.json. Run alone: `make bench` (two cores, medians, warm).

Each row measures ours and a peer in the same run, in turn, so that a noisy machine disturbs both alike.
`ratio` says how many times better than the peer ours is; `target` is the bound that an issue states, if any.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import api  # noqa: E402
import batching  # noqa: E402
import cases  # noqa: E402 -- the path is set above
import issuing  # noqa: E402
import judging  # noqa: E402
import papering  # noqa: E402
import proving  # noqa: E402
import reading  # noqa: E402
import recording  # noqa: E402
import registers  # noqa: E402
import sealing  # noqa: E402
import status_lists  # noqa: E402
import transparency  # noqa: E402
import verifying  # noqa: E402

from signer import logs  # noqa: E402

_WARM_UP = 3
OUT = Path(__file__).resolve().parent.parent.parent / "build" / "bench.json"


@dataclass(frozen=True)
class Row:
    name: str
    value: float
    unit: str
    better: str
    peer: str
    peer_value: float
    ratio: float
    target: float | None


def measure(case: cases.Case, rounds: int) -> tuple[float, float]:
    """Return the medians of ours and the peer in milliseconds of CPU-bound wall time, taken in turn after a warm-up."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(_WARM_UP + rounds):
        if case.prepare is not None:
            case.prepare()
        for action, taken in zip((case.ours, case.peer), times, strict=True):
            begun = time.perf_counter()
            action()
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times[0][_WARM_UP:]), statistics.median(times[1][_WARM_UP:])


def count(case: cases.Case) -> tuple[float, float]:
    """Return what ours and the peer say, each asked once."""
    ours, peer = case.ours(), case.peer()
    assert isinstance(ours, (int, float))
    assert isinstance(peer, (int, float))
    return ours, peer


def only_elsewhere(only: str) -> bool:
    """Tell whether a case outside the register may be meant: making those takes a while."""
    return not only.startswith(("batch.", "register.", "log."))


def run(rounds: int, only: str) -> list[Row]:
    rows = []
    elsewhere = (
        itertools.chain(
            cases.all_cases(),
            sealing.all_cases(),
            verifying.all_cases(),
            status_lists.all_cases(),
            api.all_cases(),
            reading.all_cases(),
            issuing.all_cases(),
        )
        if only_elsewhere(only)
        else ()
    )
    proofs = (*papering.all_cases(), *proving.all_cases(), *transparency.all_cases())
    batches = (*judging.all_cases(), *batching.all_cases())
    for case in itertools.chain(elsewhere, proofs, batches, recording.all_cases(), registers.all_cases()):
        if only not in case.name:
            continue
        ours, peer = measure(case, rounds) if case.unit == "ms" else count(case)
        ratio, unit = round(peer / ours, 2), case.unit
        row = Row(case.name, round(ours, 3), unit, "lower", case.peer_name, round(peer, 3), ratio, case.target)
        rows.append(row)
        print(f"{row.name:24} {ours:9.2f} {unit:5} {peer:9.2f} {unit:5} {ratio:7.2f}x   {row.peer}", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    logs.configure("error")
    print(f"{'case':24} {'ours':>15} {'peer':>15} {'ratio':>8}   peer ({given.rounds} rounds, medians)")
    rows = run(given.rounds, given.only)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    print(f"written to {OUT.relative_to(OUT.parent.parent)}")


if __name__ == "__main__":
    main()
