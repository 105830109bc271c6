"""
Let exporters in: who signed up, whom manufacturers accepted, requests and what was said of them.

Revision: 0015, after 0014.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_ups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("login", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("exporter_uscc", sa.String(length=18), nullable=False),
        sa.Column("legal_name", sa.String(length=120), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("file_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.String(length=27), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=True),
        sa.Column("confirmed_at", sa.String(length=27), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint("decided_by <> person_id", name=op.f("ck_sign_ups_another")),
        sa.CheckConstraint(
            "state = 'sent' OR (person_id IS NOT NULL AND password IS NULL)", name=op.f("ck_sign_ups_confirmed")
        ),
        sa.CheckConstraint("state IN ('sent', 'waiting', 'member', 'refused')", name=op.f("ck_sign_ups_state")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sign_ups_person_id_people")),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_sign_ups_decided_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ups")),
        sa.UniqueConstraint("ref", name=op.f("uq_sign_ups_ref")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_sign_ups_token_digest")),
    )
    op.create_index("ix_sign_ups_exporter_uscc_state", "sign_ups", ["exporter_uscc", "state"])
    op.create_index("ix_sign_ups_person_id_state", "sign_ups", ["person_id", "state"])
    op.create_index(
        "ix_sign_ups_sent",
        "sign_ups",
        ["asked_at"],
        sqlite_where=sa.text("state = 'sent'"),
        postgresql_where=sa.text("state = 'sent'"),
    )
    op.create_table(
        "acceptances",
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("exporter_uscc", sa.String(length=18), nullable=False),
        sa.Column("sign_up_ref", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_at", sa.String(length=27), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=27), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=True),
        sa.CheckConstraint("state IN ('asked', 'accepted', 'refused')", name=op.f("ck_acceptances_state")),
        sa.CheckConstraint("state = 'asked' OR decided_by IS NOT NULL", name=op.f("ck_acceptances_decided")),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_acceptances_decided_by_people")),
        sa.ForeignKeyConstraint(["sign_up_ref"], ["sign_ups.ref"], name=op.f("fk_acceptances_sign_up_ref_sign_ups")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_acceptances_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("manufacturer_id", "exporter_uscc", name=op.f("pk_acceptances")),
    )
    op.create_index("ix_acceptances_manufacturer_id_state", "acceptances", ["manufacturer_id", "state"])
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("batch", sa.String(length=16), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("exporter_uscc", sa.String(length=18), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("wanted", sa.String(length=400), nullable=False),
        sa.Column("needed_by", sa.Date(), nullable=False),
        sa.Column("vehicles", sa.Integer(), nullable=False),
        sa.Column("supersedes", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("refusal", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=True),
        sa.Column("draft_id", sa.Integer(), nullable=True),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=27), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("changed_at", sa.String(length=27), nullable=False),
        sa.CheckConstraint("(state = 'refused') = (refusal IS NOT NULL)", name=op.f("ck_requests_refused")),
        sa.CheckConstraint("(state = 'drafted') = (draft_id IS NOT NULL)", name=op.f("ck_requests_drafted")),
        sa.CheckConstraint("state IN ('asked', 'drafted', 'refused', 'withdrawn')", name=op.f("ck_requests_state")),
        sa.CheckConstraint(
            "refusal IN ('no-outlet', 'not-ours', 'not-localised', 'exporter-unknown', 'other')",
            name=op.f("ck_requests_refusal"),
        ),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_requests_draft_id_drafts")),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_requests_asked_by_people")),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_requests_decided_by_people")),
        sa.ForeignKeyConstraint(
            ["supersedes"], ["confirmations.number"], name=op.f("fk_requests_supersedes_confirmations")
        ),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_requests_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
        sa.UniqueConstraint("draft_id", name=op.f("uq_requests_draft_id")),
        sa.UniqueConstraint("ref", name=op.f("uq_requests_ref")),
    )
    op.create_index("ix_requests_exporter_uscc_id", "requests", ["exporter_uscc", "id"])
    op.create_index(
        "ix_requests_manufacturer_id_state_needed_by", "requests", ["manufacturer_id", "state", "needed_by"]
    )
    op.create_table(
        "request_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("said_by", sa.String(length=64), nullable=False),
        sa.Column("said_at", sa.String(length=27), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.CheckConstraint("side IN ('maker', 'exporter')", name=op.f("ck_request_words_side")),
        sa.ForeignKeyConstraint(["said_by"], ["people.id"], name=op.f("fk_request_words_said_by_people")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_request_words_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_request_words_request_id_requests")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_words")),
    )
    op.create_index("ix_request_words_request_id", "request_words", ["request_id"])
    op.create_table(
        "answer_templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("changed_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_answer_templates_manufacturer_id_manufacturers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_templates")),
    )
    op.create_index("ix_answer_templates_manufacturer_id", "answer_templates", ["manufacturer_id"])
    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_table("answer_templates")
    op.drop_table("request_words")
    op.drop_table("requests")
    op.drop_table("acceptances")
    op.drop_table("sign_ups")
    triggers.create(op.get_bind())
