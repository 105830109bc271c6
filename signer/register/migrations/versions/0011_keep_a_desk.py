"""
Keep a desk for makers: drafts, submissions, imports, the choice of outlets, evidence, suspicions, mail.

Revision: 0011, after 0010.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("confirmations", sa.Integer(), nullable=False),
        sa.Column("vehicles", sa.Integer(), nullable=False),
        sa.Column("through", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_tallies_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("manufacturer_id", "month", "country", name=op.f("pk_tallies")),
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=120), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.String(length=27), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.String(length=27), nullable=False),
        sa.Column("taken_at", sa.String(length=27), nullable=True),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.String(length=27), nullable=True),
        sa.Column("given_up_at", sa.String(length=27), nullable=True),
        sa.Column("error", sa.String(length=400), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    with op.batch_alter_table("mails", schema=None) as batch_op:
        batch_op.create_index(
            "ix_mails_waiting",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("sent_at IS NULL AND given_up_at IS NULL"),
            postgresql_where=sa.text("sent_at IS NULL AND given_up_at IS NULL"),
        )

    op.create_table(
        "evidence_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("file_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["people.id"], name=op.f("fk_evidence_files_added_by_people")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_evidence_files_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_files")),
        sa.UniqueConstraint("ref", name=op.f("uq_evidence_files_ref")),
    )
    with op.batch_alter_table("evidence_files", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_files_manufacturer_id"), ["manufacturer_id"], unique=False)

    op.create_table(
        "imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("file_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("changed_at", sa.String(length=27), nullable=False),
        sa.CheckConstraint("kind IN ('vehicles', 'outlets', 'production')", name=op.f("ck_imports_kind")),
        sa.CheckConstraint("state IN ('read', 'running', 'done', 'failed', 'dropped')", name=op.f("ck_imports_state")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_imports_created_by_people")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_imports_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("ref", name=op.f("uq_imports_ref")),
    )
    with op.batch_alter_table("imports", schema=None) as batch_op:
        batch_op.create_index("ix_imports_manufacturer_id_created_at", ["manufacturer_id", "created_at"], unique=False)
        batch_op.create_index(
            "ix_imports_manufacturer_id_kind_file_digest", ["manufacturer_id", "kind", "file_digest"], unique=False
        )

    op.create_table(
        "outlet_facts",
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("outlet_id", sa.String(length=40), nullable=False),
        sa.Column("latitude", sa.String(length=12), nullable=True),
        sa.Column("longitude", sa.String(length=12), nullable=True),
        sa.Column("brands", sa.Text(), nullable=False),
        sa.Column("energies", sa.Text(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("link_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("link_sent_at", sa.String(length=27), nullable=True),
        sa.Column("confirmed_at", sa.String(length=27), nullable=True),
        sa.Column("remark", sa.String(length=600), nullable=True),
        sa.Column("remarked_at", sa.String(length=27), nullable=True),
        sa.Column("changed_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_outlet_facts_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("manufacturer_id", "outlet_id", name=op.f("pk_outlet_facts")),
        sa.UniqueConstraint("link_digest", name=op.f("uq_outlet_facts_link_digest")),
    )

    op.create_table(
        "outlet_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("brand", sa.String(length=120), nullable=True),
        sa.Column("energy", sa.String(length=20), nullable=True),
        sa.Column("latitude", sa.String(length=12), nullable=True),
        sa.Column("longitude", sa.String(length=12), nullable=True),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_outlet_rules_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlet_rules")),
    )
    with op.batch_alter_table("outlet_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outlet_rules_manufacturer_id"), ["manufacturer_id"], unique=False)

    op.create_table(
        "production",
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("built_on", sa.Date(), nullable=True),
        sa.Column("listed_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_production_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("manufacturer_id", "vin", name=op.f("pk_production")),
    )

    op.create_table(
        "suspicions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.String(length=27), nullable=False),
        sa.Column("last_at", sa.String(length=27), nullable=False),
        sa.Column("settled_by", sa.String(length=64), nullable=True),
        sa.Column("settled_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_suspicions_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(["settled_by"], ["people.id"], name=op.f("fk_suspicions_settled_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspicions")),
    )
    with op.batch_alter_table("suspicions", schema=None) as batch_op:
        batch_op.create_index("ix_suspicions_manufacturer_id_last_at", ["manufacturer_id", "last_at"], unique=False)
        batch_op.create_index("uq_suspicions_day", ["manufacturer_id", "number", "code", "day"], unique=True)

    op.create_table(
        "drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.String(length=27), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'waiting', 'sealing', 'issued', 'discarded')", name=op.f("ck_drafts_state")
        ),
        sa.ForeignKeyConstraint(["changed_by"], ["people.id"], name=op.f("fk_drafts_changed_by_people")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_drafts_created_by_people")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_drafts_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(["number"], ["confirmations.number"], name=op.f("fk_drafts_number_confirmations")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint("number", name=op.f("uq_drafts_number")),
        sa.UniqueConstraint("ref", name=op.f("uq_drafts_ref")),
    )
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_drafts_manufacturer_id_state_changed_at", ["manufacturer_id", "state", "changed_at"], unique=False
        )

    op.create_table(
        "draft_versions",
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["people.id"], name=op.f("fk_draft_versions_changed_by_people")),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_draft_versions_draft_id_drafts")),
        sa.PrimaryKeyConstraint("draft_id", "version", name=op.f("pk_draft_versions")),
    )

    op.create_table(
        "submissions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("terms_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("needed_by", sa.Date(), nullable=False),
        sa.Column("prepared_by", sa.String(length=64), nullable=False),
        sa.Column("sent_by", sa.String(length=64), nullable=False),
        sa.Column("sent_at", sa.String(length=27), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=27), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=True),
        sa.Column("factor", sa.String(length=10), nullable=True),
        sa.Column("error", sa.String(length=400), nullable=True),
        sa.CheckConstraint(
            "(decided_by <> sent_by AND decided_by <> prepared_by) OR state IN ('waiting', 'voided')",
            name=op.f("ck_submissions_four_eyes"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'issued') OR (decided_by IS NOT NULL AND factor IS NOT NULL)",
            name=op.f("ck_submissions_decided"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'returned', 'voided', 'issued')", name=op.f("ck_submissions_state")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_submissions_decided_by_people")),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_submissions_draft_id_drafts")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_submissions_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(["prepared_by"], ["people.id"], name=op.f("fk_submissions_prepared_by_people")),
        sa.ForeignKeyConstraint(["sent_by"], ["people.id"], name=op.f("fk_submissions_sent_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("ref", name=op.f("uq_submissions_ref")),
    )
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_submissions_draft_id"), ["draft_id"], unique=False)
        batch_op.create_index(
            "ix_submissions_manufacturer_id_state_needed_by", ["manufacturer_id", "state", "needed_by"], unique=False
        )
        batch_op.create_index(
            "uq_submissions_waiting",
            ["draft_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('waiting', 'approved')"),
            postgresql_where=sa.text("state IN ('waiting', 'approved')"),
        )

    op.create_table(
        "second_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("vins", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=True),
        sa.Column("file_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=27), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=27), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("factor", sa.String(length=10), nullable=True),
        sa.CheckConstraint("decided_by <> asked_by OR outcome = 'dropped'", name=op.f("ck_second_words_four_eyes")),
        sa.CheckConstraint(
            "outcome <> 'done' OR (decided_by IS NOT NULL AND factor IS NOT NULL)",
            name=op.f("ck_second_words_decided"),
        ),
        sa.CheckConstraint("kind IN ('withdraw', 'retract')", name=op.f("ck_second_words_kind")),
        sa.CheckConstraint("outcome IN ('done', 'dropped')", name=op.f("ck_second_words_outcome")),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_second_words_asked_by_people")),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_second_words_decided_by_people")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_second_words_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(
            ["number"], ["confirmations.number"], name=op.f("fk_second_words_number_confirmations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_words")),
        sa.UniqueConstraint("ref", name=op.f("uq_second_words_ref")),
    )
    with op.batch_alter_table("second_words", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_second_words_number"), ["number"], unique=False)
        batch_op.create_index(
            "ix_second_words_manufacturer_id_decided_at", ["manufacturer_id", "decided_at"], unique=False
        )
        batch_op.create_index(
            "uq_second_words_withdraw",
            ["number"],
            unique=True,
            sqlite_where=sa.text("decided_at IS NULL AND kind = 'withdraw'"),
            postgresql_where=sa.text("decided_at IS NULL AND kind = 'withdraw'"),
        )

    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_table("second_words")
    op.drop_table("submissions")
    op.drop_table("draft_versions")
    op.drop_table("drafts")
    op.drop_table("suspicions")
    op.drop_table("production")
    op.drop_table("outlet_rules")
    op.drop_table("outlet_facts")
    op.drop_table("imports")
    op.drop_table("evidence_files")
    op.drop_table("mails")
    op.drop_table("tallies")
    triggers.create(op.get_bind())
