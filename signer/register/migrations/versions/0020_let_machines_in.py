"""
Let machines in: tokens, the keys under which they ask for something once, and how often they may ask.

Revision: 0020, after 0019.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("manufacturer_id", sa.Integer(), nullable=True),
        sa.Column("exporter_uscc", sa.String(length=18), nullable=True),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("rights", sa.Text(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("ends_at", sa.String(length=27), nullable=False),
        sa.Column("used_at", sa.String(length=27), nullable=True),
        sa.Column("revoked_by", sa.String(length=64), nullable=True),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint("kind IN ('maker', 'exporter', 'house')", name=op.f("ck_tokens_kind")),
        sa.CheckConstraint("(kind = 'maker') = (manufacturer_id IS NOT NULL)", name=op.f("ck_tokens_maker")),
        sa.CheckConstraint("(kind = 'exporter') = (exporter_uscc IS NOT NULL)", name=op.f("ck_tokens_exporter")),
        sa.CheckConstraint("(revoked_by IS NULL) = (revoked_at IS NULL)", name=op.f("ck_tokens_revoked")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["manufacturers.id"], name=op.f("fk_tokens_manufacturer_id_manufacturers")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_tokens_person_id_people")),
        sa.ForeignKeyConstraint(["revoked_by"], ["people.id"], name=op.f("fk_tokens_revoked_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("ref", name=op.f("uq_tokens_ref")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_tokens_token_digest")),
    )
    op.create_index("ix_tokens_person_id", "tokens", ["person_id"])
    op.create_table(
        "rations",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("booked", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_rations_token_id_tokens")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_rations")),
    )
    op.create_table(
        "deeds",
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("operation", sa.String(length=60), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("payload_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("begun_at", sa.String(length=27), nullable=False),
        sa.Column("lease_until", sa.String(length=27), nullable=True),
        sa.Column("made", sa.String(length=40), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(status IS NULL) = (body IS NULL)", name=op.f("ck_deeds_answered")),
        sa.PrimaryKeyConstraint("owner", "operation", "key_digest", name=op.f("pk_deeds")),
    )
    op.add_column("submissions", sa.Column("external_ref", sa.String(length=120), nullable=True))
    triggers.create(op.get_bind())


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_column("submissions", "external_ref")
    op.drop_table("deeds")
    op.drop_table("rations")
    op.drop_index("ix_tokens_person_id", "tokens")
    op.drop_table("tokens")
    triggers.create(op.get_bind())
