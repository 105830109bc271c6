"""The tables of the makers' portal: drafts and what was sent for approval, imports, outlets' choice, facts, notices."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from signer.register.columns import At, metadata, one_of, partial

drafts = Table(
    "drafts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("title", String(120), nullable=False),
    Column("body", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("import_id", Integer),
    Column("created_by", ForeignKey("people.id"), nullable=False),
    Column("created_at", At, nullable=False),
    Column("changed_by", ForeignKey("people.id"), nullable=False),
    Column("changed_at", At, nullable=False),
    Column("number", String(16), ForeignKey("confirmations.number"), unique=True),
    one_of("state", ["open", "waiting", "sealing", "issued", "discarded"], "state"),
    Index("ix_drafts_manufacturer_id_state_changed_at", "manufacturer_id", "state", "changed_at"),
)
"""`ref` is random and stands in addresses; `body` is `signer.draft/1`, and `words` what of it is searched."""

draft_versions = Table(
    "draft_versions",
    metadata,
    Column("draft_id", ForeignKey("drafts.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    Column("changed_by", ForeignKey("people.id"), nullable=False),
    Column("changed_at", At, nullable=False),
)
"""Every state that a draft was saved in: what two people wrote at once can be put together from them."""

submissions = Table(
    "submissions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("draft_id", ForeignKey("drafts.id"), nullable=False, index=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("terms", Text, nullable=False),
    Column("terms_digest", LargeBinary(32), nullable=False),
    Column("needed_by", Date, nullable=False),
    Column("prepared_by", ForeignKey("people.id"), nullable=False),
    Column("sent_by", ForeignKey("people.id"), nullable=False),
    Column("sent_at", At, nullable=False),
    Column("state", String(10), nullable=False),
    Column("decided_by", ForeignKey("people.id")),
    Column("decided_at", At),
    Column("reason", String(400)),
    Column("factor", String(10)),
    Column("external_ref", String(120)),
    Column("error", String(400)),
    one_of("state", ["waiting", "approved", "returned", "voided", "issued"], "state"),
    CheckConstraint(
        "(decided_by <> sent_by AND decided_by <> prepared_by) OR state IN ('waiting', 'voided')", name="four_eyes"
    ),
    CheckConstraint(
        "state NOT IN ('approved', 'issued') OR (decided_by IS NOT NULL AND factor IS NOT NULL)", name="decided"
    ),
    Index("ix_submissions_manufacturer_id_state_needed_by", "manufacturer_id", "state", "needed_by"),
    partial("uq_submissions_waiting", "draft_id", where="state IN ('waiting', 'approved')", unique=True),
)
"""What an approver is shown: canonical terms and their digest; an edit voids it. `needed_by` is its last useful day."""

second_words = Table(
    "second_words",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("number", String(16), ForeignKey("confirmations.number"), nullable=False, index=True),
    Column("kind", String(10), nullable=False),
    Column("vins", Text, nullable=False),
    Column("reason", String(24)),
    Column("file_digest", LargeBinary(32)),
    Column("asked_by", ForeignKey("people.id"), nullable=False),
    Column("asked_at", At, nullable=False),
    Column("decided_by", ForeignKey("people.id")),
    Column("decided_at", At),
    Column("outcome", String(10)),
    Column("factor", String(10)),
    Column("external_ref", String(120)),
    one_of("kind", ["withdraw", "retract"], "kind"),
    one_of("outcome", ["done", "dropped"], "outcome"),
    CheckConstraint("decided_by <> asked_by OR outcome = 'dropped'", name="four_eyes"),
    CheckConstraint("outcome <> 'done' OR (decided_by IS NOT NULL AND factor IS NOT NULL)", name="decided"),
    Index("ix_second_words_manufacturer_id_decided_at", "manufacturer_id", "decided_at"),
    partial("uq_second_words_withdraw", "number", where="decided_at IS NULL AND kind = 'withdraw'", unique=True),
)
"""What one person asked for that cannot be undone, until a second one says yes or somebody drops it."""

production = Table(
    "production",
    metadata,
    Column("manufacturer_id", ForeignKey("manufacturers.id"), primary_key=True),
    Column("vin", String(17), primary_key=True),
    Column("model", String(120), nullable=False),
    Column("built_on", Date),
    Column("listed_at", At, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("file_name", String(120), nullable=False),
    Column("file_digest", LargeBinary(32), nullable=False),
    Column("data", LargeBinary),
    Column("state", String(10), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("good", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("plan", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("created_by", ForeignKey("people.id"), nullable=False),
    Column("created_at", At, nullable=False),
    Column("changed_at", At, nullable=False),
    one_of("kind", ["vehicles", "outlets", "production"], "kind"),
    one_of("state", ["read", "running", "done", "failed", "dropped"], "state"),
    Index("ix_imports_manufacturer_id_created_at", "manufacturer_id", "created_at"),
    Index("ix_imports_manufacturer_id_kind_file_digest", "manufacturer_id", "kind", "file_digest"),
)
"""A sheet that was handed in: what it says (`plan`, JSON), what is wrong with it (`report`, JSON), how far it is."""

outlet_facts = Table(
    "outlet_facts",
    metadata,
    Column("manufacturer_id", ForeignKey("manufacturers.id"), primary_key=True),
    Column("outlet_id", String(40), primary_key=True),
    Column("latitude", String(12)),
    Column("longitude", String(12)),
    Column("brands", Text, nullable=False),
    Column("energies", Text, nullable=False),
    Column("closed_on", Date),
    Column("link_digest", LargeBinary(32), unique=True),
    Column("link_sent_at", At),
    Column("confirmed_at", At),
    Column("remark", String(600)),
    Column("remarked_at", At),
    Column("changed_at", At, nullable=False),
)
"""What chooses an outlet and is never printed; degrees as decimal text, lists as JSON, empty for any. `closed_on` is
the first day on which it is closed, `remark` what the outlet itself says is wrong."""

outlet_rules = Table(
    "outlet_rules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False, index=True),
    Column("country", String(2)),
    Column("brand", String(120)),
    Column("energy", String(20)),
    Column("latitude", String(12)),
    Column("longitude", String(12)),
    Column("most", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("changed_at", At, nullable=False),
)
"""Which outlets a confirmation gets: the first rule that fits; nearest to the place first, at most so many."""

evidence_files = Table(
    "evidence_files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False, index=True),
    Column("subject", String(40), nullable=False),
    Column("title", String(120), nullable=False),
    Column("file_name", String(120), nullable=False),
    Column("file_digest", LargeBinary(32), nullable=False),
    Column("media_type", String(40), nullable=False),
    Column("size", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("added_by", ForeignKey("people.id"), nullable=False),
    Column("added_at", At, nullable=False),
)

renamings = Table(
    "renamings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False, index=True),
    Column("former_name", String(120), nullable=False),
    Column("legal_name", String(120), nullable=False),
    Column("legal_name_en", String(120)),
    Column("from_on", Date, nullable=False),
    Column("announcement", String(120), nullable=False),
    Column("reason", String(400), nullable=False),
    Column("evidence_ref", ForeignKey("evidence_files.ref"), nullable=False),
    Column("asked_by", ForeignKey("people.id"), nullable=False),
    Column("asked_at", At, nullable=False),
    Column("decided_by", ForeignKey("people.id")),
    Column("decided_at", At),
    Column("outcome", String(10)),
    Column("factor", String(10)),
    one_of("outcome", ["done", "dropped"], "outcome"),
    CheckConstraint("decided_by <> asked_by OR outcome = 'dropped'", name="four_eyes"),
    CheckConstraint("outcome <> 'done' OR (decided_by IS NOT NULL AND factor IS NOT NULL)", name="decided"),
    partial("uq_renamings_waiting", "manufacturer_id", where="decided_at IS NULL", unique=True),
)
"""A new name that one person proposed, until another one confirms it or somebody drops it; one at a time."""

suspicions = Table(
    "suspicions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("manufacturer_id", ForeignKey("manufacturers.id"), nullable=False),
    Column("number", String(16)),
    Column("code", String(40), nullable=False),
    Column("day", Date, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_at", At, nullable=False),
    Column("last_at", At, nullable=False),
    Column("settled_by", ForeignKey("people.id")),
    Column("settled_at", At),
    Index("ix_suspicions_manufacturer_id_last_at", "manufacturer_id", "last_at"),
    Index("uq_suspicions_day", "manufacturer_id", "number", "code", "day", unique=True),
)
"""Failed verifications of a manufacturer's own numbers, counted per day: the forgery alarm."""

mails = Table(
    "mails",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("recipient", String(120), nullable=False),
    Column("language", String(2), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("queued_at", At, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", At, nullable=False),
    Column("taken_at", At),
    Column("repeats", Integer, nullable=False),
    Column("sent_at", At),
    Column("given_up_at", At),
    Column("error", String(400)),
    partial("ix_mails_waiting", "next_at", where="sent_at IS NULL AND given_up_at IS NULL"),
)
"""
Mail that waits to be sent; a text and a link, never an attachment. `body` is emptied once it is sent or given up.

`taken_at` is set while it is handed to a mail server; `repeats` counts how often that ended without word.
"""

tallies = Table(
    "tallies",
    metadata,
    Column("manufacturer_id", ForeignKey("manufacturers.id"), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("confirmations", Integer, nullable=False),
    Column("vehicles", Integer, nullable=False),
    Column("through", Integer, nullable=False),
)
"""What was issued by month (Beijing) and destination; `through`: the last use of a seal that a row counts."""
