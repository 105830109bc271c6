"""Fuzz one target: `worker.py TARGET FOLDER [libFuzzer's options]`. Started by `run.py`; needs atheris."""

from __future__ import annotations

import hashlib
import logging
import sys
import time
from pathlib import Path

import atheris

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "attacks")]

MOST_SECONDS = 5

with atheris.instrument_imports(include=["signer.seal", "pyhanko", "asn1crypto"]):
    import ground as grounds
    import targets


def main(name: str, folder: Path, options: list[str]) -> None:
    """Write the corpus, and fuzz until the time is over or something is found."""
    logging.disable(logging.CRITICAL)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    ground = grounds.make(folder / "keys")
    for seed in targets.seeds(ground, name):
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
        targets.TARGETS[name](ground, seed)

    def timed(data: bytes) -> None:
        begun = time.process_time()
        targets.TARGETS[name](ground, data)
        if time.process_time() - begun > MOST_SECONDS:
            raise targets.Found(f"more than {MOST_SECONDS} s of processor time")

    prefix = f"-artifact_prefix={folder}/find-"
    atheris.Setup([sys.argv[0], prefix, *options, str(corpus)], timed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
