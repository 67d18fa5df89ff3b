"""The table of idempotency keys, its index and its policy."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("userId", sa.Text, nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("createdAt", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("userId", "key", name="pk_idempotency_keys"),
        sa.ForeignKeyConstraint(["userId"], ["user.id"], name="fk_idempotency_keys_userId", ondelete="CASCADE"),
        sa.CheckConstraint("char_length(key) BETWEEN 1 AND 255", name="ck_idempotency_keys_key"),
    )
    op.create_index("ix_idempotency_keys_createdAt", "idempotency_keys", ["userId", "createdAt", "key"])
    op.execute("ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY")
    op.execute(
        """
        CREATE POLICY tenant ON idempotency_keys
            USING ("userId" = nullif(current_setting('app.user_id', true), ''))
            WITH CHECK ("userId" = nullif(current_setting('app.user_id', true), ''))
        """
    )


def downgrade() -> None:
    op.drop_table("idempotency_keys")
