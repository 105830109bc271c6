"""Everything that `/metrics` tells: one definition each, from which docs/reference/metrics.md is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "histogram", "gauge"]

QUICK: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONG: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """
    One metric: what it is called, what it means, what its labels are; `buckets` are upper ends in seconds.

    `is_kept`: a process counts it; others are looked up when somebody asks. Labels take few values, all known before:
    never a number, a vehicle, a person.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    is_kept: bool = True


VERDICTS: Final = Metric(
    name="signer_verdicts_total",
    kind="counter",
    help="Verdicts given to whoever asked, by code; `of`: a file, or a record that was looked up.",
    labels=("code", "of"),
)
REQUESTS: Final = Metric(
    name="signer_http_requests_total",
    kind="counter",
    help="Requests answered, by the first digit of the status.",
    labels=("status",),
)
REQUEST_SECONDS: Final = Metric(
    name="signer_http_request_seconds",
    kind="histogram",
    help="How long an answer took, by door: page, api or file (verifying uploads, which waits for a child).",
    labels=("door",),
    buckets=QUICK,
)
WAITING: Final = Metric(
    name="signer_waiting", kind="gauge", help="Requests of this process that wait for a turn, or to have a file judged."
)
REFUSED: Final = Metric(
    name="signer_refused_total", kind="counter", help="Requests for which no turn was to be had (429)."
)
BODY_BYTES: Final = Metric(name="signer_body_bytes", kind="gauge", help="Bytes of bodies that this process holds.")
RESIDENT: Final = Metric(
    name="signer_resident_bytes",
    kind="gauge",
    help="Memory of this process.",
    labels=("role", "pid"),
    is_kept=False,
)

ISSUE_SECONDS: Final = Metric(
    name="signer_issue_step_seconds",
    kind="histogram",
    help="How long a step of issuing took: prepare, reserve, prove, render (and lint), seal, check, store, record.",
    labels=("step",),
    buckets=QUICK,
)
ISSUED: Final = Metric(
    name="signer_issued_total",
    kind="counter",
    help="Numbers that were reserved and what became of them: `issued`, or the code of the error that stopped it.",
    labels=("outcome",),
)
JUDGING_SECONDS: Final = Metric(
    name="signer_judging_seconds",
    kind="histogram",
    help="How long a file that somebody brought was judged in its child.",
    buckets=QUICK,
)
TIMESTAMP_SECONDS: Final = Metric(
    name="signer_timestamp_seconds",
    kind="histogram",
    help="How long a timestamping authority took, by host; `outcome`: answered, or failed (wrong answers too).",
    labels=("authority", "outcome"),
    buckets=QUICK,
)
KEY_SECONDS: Final = Metric(
    name="signer_key_seconds",
    kind="histogram",
    help="How long a private key took to sign, by its store (file, pkcs11, ...); `outcome`: signed or failed.",
    labels=("store", "outcome"),
    buckets=QUICK,
)
JOBS: Final = Metric(
    name="signer_jobs_total",
    kind="counter",
    help="Jobs that were done, by kind; `outcome`: done, again (it goes on later) or failed.",
    labels=("kind", "outcome"),
)
JOB_SECONDS: Final = Metric(
    name="signer_job_seconds", kind="histogram", help="How long a job took.", labels=("kind",), buckets=LONG
)
BATCH_ITEMS: Final = Metric(
    name="signer_batch_items_total",
    kind="counter",
    help="Items of batches, sealed or failed; their rate is what batches come to.",
    labels=("outcome",),
)
BATCH_HALTS: Final = Metric(
    name="signer_batch_halts_total",
    kind="counter",
    help="Times that a batch halted, by the code of what stood in its way.",
    labels=("code",),
)
QUEUE_LENGTH: Final = Metric(
    name="signer_queue_length",
    kind="gauge",
    help="How many wait: jobs that are due, mail, webhooks, log, pending (being sealed), items of batches.",
    labels=("queue",),
    is_kept=False,
)
QUEUE_AGE: Final = Metric(
    name="signer_queue_age_seconds",
    kind="gauge",
    help="How long the oldest has waited; 0 where nothing does.",
    labels=("queue",),
    is_kept=False,
)
JOBS_FAILED: Final = Metric(
    name="signer_jobs_failed", kind="gauge", help="Jobs that were given up and wait for somebody.", is_kept=False
)
CERTIFICATE_DAYS: Final = Metric(
    name="signer_certificate_days",
    kind="gauge",
    help="Days left of each certificate that is in use: `of` is its purpose on the trust list (pdf-seal, paper, log, "
    "tsa, ca, ...), `key` the beginning of its digest, as the doctor names it.",
    labels=("of", "key"),
    is_kept=False,
)
TRUST_LIST_DAYS: Final = Metric(
    name="signer_trust_list_days", kind="gauge", help="Days until the trust list expires.", is_kept=False
)
STATUS_LIST_AGE: Final = Metric(
    name="signer_status_list_age_seconds",
    kind="gauge",
    help="How old the oldest status list is; missing where there is none.",
    is_kept=False,
)
INFO: Final = Metric(
    name="signer_info",
    kind="gauge",
    help="1: which code answers, over which schema.",
    labels=("version", "commit", "migration"),
    is_kept=False,
)
HEALTH: Final = Metric(
    name="signer_health",
    kind="gauge",
    help="0: ok, 1: warning, 2: error; the parts of `/readyz`.",
    labels=("part",),
    is_kept=False,
)
DISK_FREE: Final = Metric(
    name="signer_disk_free_bytes",
    kind="gauge",
    help="Bytes free where something is kept.",
    labels=("place",),
    is_kept=False,
)
DISK_LEVEL: Final = Metric(
    name="signer_disk_level",
    kind="gauge",
    help="0: enough room, 1: below the warning, 2: nothing new is begun.",
    labels=("place",),
    is_kept=False,
)

CATALOGUE: Final = (
    INFO,
    HEALTH,
    VERDICTS,
    REQUESTS,
    REQUEST_SECONDS,
    WAITING,
    REFUSED,
    BODY_BYTES,
    RESIDENT,
    ISSUE_SECONDS,
    ISSUED,
    JUDGING_SECONDS,
    TIMESTAMP_SECONDS,
    KEY_SECONDS,
    JOBS,
    JOB_SECONDS,
    JOBS_FAILED,
    BATCH_ITEMS,
    BATCH_HALTS,
    QUEUE_LENGTH,
    QUEUE_AGE,
    CERTIFICATE_DAYS,
    TRUST_LIST_DAYS,
    STATUS_LIST_AGE,
    DISK_FREE,
    DISK_LEVEL,
)
"""Every metric, in the order in which they are told."""
