"""The fast path for files of exactly our own shape (`judge`); for any other file `NotMine` is raised."""

from signer.seal.fast.document import NotMine
from signer.seal.fast.judge import Found, examine

__all__ = ["Found", "NotMine", "examine"]
