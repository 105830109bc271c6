"""Have a picture of paper searched from outside its cell, and believe nothing that is not of the form."""

from __future__ import annotations

from typing import Final

from pydantic import ValidationError

from signer import sandbox
from signer.domain.scan import NO_SCAN, Scan
from signer.paper import pictures

LIMITS: Final = sandbox.Limits(cpu_s=4)
_TASK: Final = "signer.paper.task:child"
_PDF: Final = b"%PDF-"
_NEAR: Final = 1_024
"""Scanners may write something before their PDF, as readers allow."""


def scan(data: bytes, *, limits: sandbox.Limits = LIMITS) -> Scan:
    """
    Return what a child process finds of QR symbols in a picture, or in a PDF of nothing but pictures.

    Whatever the file is, this is an answer and never an error; one that is neither is not looked at.
    """
    if not pictures.is_picture(data) and _PDF not in data[:_NEAR]:
        return NO_SCAN
    try:
        return Scan.model_validate_json(sandbox.run(_TASK, header=b"", data=data, limits=limits))
    except sandbox.ChildFailed as error:
        return Scan(form="none", reason=error.reason)
    except ValidationError:
        return Scan(form="none", reason="CHILD_DIED")
