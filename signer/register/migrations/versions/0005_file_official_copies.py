"""
Keep official copies: the manufacturer's own officially sealed files, offered by one person and compared by another.

Revision: 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signer.register import triggers

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLE = "official_copies"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("file_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("offered_by", sa.String(length=64), nullable=False),
        sa.Column("offered_at", sa.String(length=27), nullable=False),
        sa.Column("compared_by", sa.String(length=64), nullable=True),
        sa.Column("compared_at", sa.String(length=27), nullable=True),
        sa.Column("retracted_by", sa.String(length=64), nullable=True),
        sa.Column("retracted_second", sa.String(length=64), nullable=True),
        sa.Column("retracted_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint("kind IN ('pdf', 'ofd', 'png', 'jpeg')", name=op.f("ck_official_copies_kind")),
        sa.CheckConstraint("compared_by <> offered_by", name=op.f("ck_official_copies_four_eyes")),
        sa.CheckConstraint("retracted_by <> retracted_second", name=op.f("ck_official_copies_retract_four_eyes")),
        sa.CheckConstraint("(compared_by IS NULL) = (compared_at IS NULL)", name=op.f("ck_official_copies_compared")),
        sa.CheckConstraint(
            "(retracted_by IS NULL) = (retracted_at IS NULL) AND (retracted_second IS NULL) = (retracted_at IS NULL)",
            name=op.f("ck_official_copies_retracted"),
        ),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmations.id"], name=op.f("fk_official_copies_confirmation_id_confirmations")
        ),
        *(
            sa.ForeignKeyConstraint([column], ["people.id"], name=op.f(f"fk_official_copies_{column}_people"))
            for column in ("offered_by", "compared_by", "retracted_by", "retracted_second")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_official_copies")),
    )
    op.create_index(op.f("ix_official_copies_confirmation_id"), _TABLE, ["confirmation_id"])
    _unique("uq_official_copies_offered", ["confirmation_id", "file_digest"], "retracted_at IS NULL")
    _unique("uq_official_copies_filed", ["file_digest"], "compared_at IS NOT NULL AND retracted_at IS NULL")
    triggers.create(op.get_bind())


def _unique(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, _TABLE, columns, unique=True, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    triggers.drop(op.get_bind())
    op.drop_table(_TABLE)
    triggers.create(op.get_bind())
