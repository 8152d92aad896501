"""First tables"""

import sqlalchemy as sa
from alembic import op

import app.db

revision = "0548c2c079ef"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("created_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
    )
    op.create_table(
        "handlers",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("api_url", sa.String(length=255), nullable=False),
        sa.Column("verify_tls", sa.Boolean(), nullable=False),
        sa.Column("ca_file", sa.String(length=255), nullable=True),
        sa.Column("answered_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("silent_since", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handlers")),
        sa.UniqueConstraint("name", name=op.f("uq_handlers_name")),
    )
    op.create_table(
        "login_attempts",
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempts")),
    )
    with op.batch_alter_table("login_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_attempts_address"), ["address"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_attempts_at"), ["at"], unique=False)
        batch_op.create_index("ix_login_attempts_email_hash_at", ["email_hash", "at"], unique=False)

    op.create_table(
        "schedule_slots",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("slot_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_slots")),
        sa.UniqueConstraint("name", "slot_at", name=op.f("uq_schedule_slots_name_slot_at")),
    )
    op.create_table(
        "users",
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("locale", sa.String(length=5), nullable=False),
        sa.Column("theme", sa.String(length=5), nullable=False),
        sa.Column("staff_role", sa.String(length=20), nullable=True),
        sa.Column("disabled_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("object_id", sa.Uuid(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_audit_entries_account_id_accounts")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_audit_entries_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entries_account_id_at", ["account_id", "at"], unique=False)

    op.create_table(
        "memberships",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_memberships_account_id_accounts")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("user_id", "account_id", name=op.f("uq_memberships_user_id_account_id")),
    )
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_memberships_account_id"), ["account_id"], unique=False)

    op.create_table(
        "services",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("handler_id", sa.Uuid(), nullable=False),
        sa.Column("org_name", sa.String(length=128), nullable=False),
        sa.Column("vdc_urn", sa.String(length=80), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("password_sealed", sa.Text(), nullable=True),
        sa.Column("session_sealed", sa.Text(), nullable=True),
        sa.Column("created_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_services_account_id_accounts")),
        sa.ForeignKeyConstraint(["handler_id"], ["handlers.id"], name=op.f("fk_services_handler_id_handlers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
        sa.UniqueConstraint("handler_id", "vdc_urn", name=op.f("uq_services_handler_id_vdc_urn")),
    )
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_services_account_id"), ["account_id"], unique=False)

    op.create_table(
        "user_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("created_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("idle_min", sa.Integer(), nullable=False),
        sa.Column("ends_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_user_sessions_account_id_accounts")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_sessions_token_hash")),
    )
    with op.batch_alter_table("user_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "vdcs",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("urn", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("cpu_limit_mhz", sa.BigInteger(), nullable=True),
        sa.Column("vcpu_mhz", sa.Integer(), nullable=True),
        sa.Column("memory_limit_mb", sa.BigInteger(), nullable=True),
        sa.Column("storage_limit_mb", sa.BigInteger(), nullable=True),
        sa.Column("vm_quota", sa.Integer(), nullable=True),
        sa.Column("seen_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_vdcs_service_id_services")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vdcs")),
        sa.UniqueConstraint("service_id", name=op.f("uq_vdcs_service_id")),
    )
    op.create_table(
        "networks",
        sa.Column("fence_mode", sa.String(length=20), nullable=False),
        sa.Column("gateway", sa.String(length=45), nullable=True),
        sa.Column("netmask", sa.String(length=45), nullable=True),
        sa.Column("vdc_id", sa.Uuid(), nullable=False),
        sa.Column("urn", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("seen_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("gone_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["vdc_id"], ["vdcs.id"], name=op.f("fk_networks_vdc_id_vdcs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_networks")),
        sa.UniqueConstraint("vdc_id", "urn", name=op.f("uq_networks_vdc_id_urn")),
    )
    with op.batch_alter_table("networks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_networks_vdc_id"), ["vdc_id"], unique=False)

    op.create_table(
        "vapp_templates",
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("catalog_name", sa.String(length=128), nullable=False),
        sa.Column("guest_os", sa.String(length=255), nullable=False),
        sa.Column("vms", sa.JSON(), nullable=False),
        sa.Column("cpu_count", sa.Integer(), nullable=False),
        sa.Column("memory_mb", sa.Integer(), nullable=False),
        sa.Column("disk_gb", sa.Integer(), nullable=False),
        sa.Column("cpu_most", sa.Integer(), nullable=True),
        sa.Column("memory_mb_most", sa.Integer(), nullable=True),
        sa.Column("disk_gb_most", sa.Integer(), nullable=True),
        sa.Column("vdc_id", sa.Uuid(), nullable=False),
        sa.Column("urn", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("seen_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("gone_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["vdc_id"], ["vdcs.id"], name=op.f("fk_vapp_templates_vdc_id_vdcs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vapp_templates")),
        sa.UniqueConstraint("vdc_id", "urn", name=op.f("uq_vapp_templates_vdc_id_urn")),
    )
    with op.batch_alter_table("vapp_templates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vapp_templates_vdc_id"), ["vdc_id"], unique=False)

    op.create_table(
        "vapps",
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("is_deployed", sa.Boolean(), nullable=False),
        sa.Column("vdc_id", sa.Uuid(), nullable=False),
        sa.Column("urn", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("seen_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("gone_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["vdc_id"], ["vdcs.id"], name=op.f("fk_vapps_vdc_id_vdcs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vapps")),
        sa.UniqueConstraint("vdc_id", "urn", name=op.f("uq_vapps_vdc_id_urn")),
    )
    with op.batch_alter_table("vapps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vapps_vdc_id"), ["vdc_id"], unique=False)

    op.create_table(
        "vms",
        sa.Column("vapp_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("is_deployed", sa.Boolean(), nullable=False),
        sa.Column("state_since", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("cpu_count", sa.Integer(), nullable=False),
        sa.Column("memory_mb", sa.Integer(), nullable=False),
        sa.Column("guest_os", sa.String(length=255), nullable=False),
        sa.Column("disks", sa.JSON(), nullable=False),
        sa.Column("disk_mb", sa.BigInteger(), nullable=False),
        sa.Column("nics", sa.JSON(), nullable=False),
        sa.Column("inner_ip", sa.String(length=45), nullable=True),
        sa.Column("outer_ip", sa.String(length=45), nullable=True),
        sa.Column("first_seen_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("vdc_id", sa.Uuid(), nullable=False),
        sa.Column("urn", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("seen_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("gone_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["vapp_id"], ["vapps.id"], name=op.f("fk_vms_vapp_id_vapps")),
        sa.ForeignKeyConstraint(["vdc_id"], ["vdcs.id"], name=op.f("fk_vms_vdc_id_vdcs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vms")),
        sa.UniqueConstraint("vdc_id", "urn", name=op.f("uq_vms_vdc_id_urn")),
    )
    with op.batch_alter_table("vms", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vms_vapp_id"), ["vapp_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vms_vdc_id"), ["vdc_id"], unique=False)

    op.create_table(
        "operations",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("vdc_id", sa.Uuid(), nullable=False),
        sa.Column("vm_id", sa.Uuid(), nullable=True),
        sa.Column("claims_name", sa.String(length=128), nullable=True),
        sa.Column("form_token", sa.String(length=64), nullable=False),
        sa.Column("form_hash", sa.String(length=64), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("password_sealed", sa.Text(), nullable=True),
        sa.Column("password_shown_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("task_urn", sa.String(length=80), nullable=True),
        sa.Column("progress", sa.Integer(), nullable=True),
        sa.Column("step_sent_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("step_started_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("claim_no", sa.Integer(), nullable=False),
        sa.Column("next_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.Column("deadline_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("started_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("moved_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.String(length=60), nullable=True),
        sa.Column("error_params", sa.JSON(), nullable=False),
        sa.Column("waiting_for", sa.String(length=20), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_operations_account_id_accounts")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_operations_user_id_users")),
        sa.ForeignKeyConstraint(["vdc_id"], ["vdcs.id"], name=op.f("fk_operations_vdc_id_vdcs")),
        sa.ForeignKeyConstraint(["vm_id"], ["vms.id"], name=op.f("fk_operations_vm_id_vms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations")),
        sa.UniqueConstraint("form_token", name=op.f("uq_operations_form_token")),
    )
    with op.batch_alter_table("operations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_operations_account_id"), ["account_id"], unique=False)
        batch_op.create_index("ix_operations_state_next_at", ["state", "next_at"], unique=False)
        batch_op.create_index(
            "uq_operations_active_name",
            ["vdc_id", "claims_name"],
            unique=True,
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )
        batch_op.create_index(
            "uq_operations_active_vm",
            ["vm_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )

    op.create_table(
        "operation_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_operation_events_operation_id_operations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation_events")),
    )
    with op.batch_alter_table("operation_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_operation_events_operation_id"), ["operation_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("operation_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_operation_events_operation_id"))

    op.drop_table("operation_events")
    with op.batch_alter_table("operations", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_operations_active_vm",
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )
        batch_op.drop_index(
            "uq_operations_active_name",
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )
        batch_op.drop_index("ix_operations_state_next_at")
        batch_op.drop_index(batch_op.f("ix_operations_account_id"))

    op.drop_table("operations")
    with op.batch_alter_table("vms", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vms_vdc_id"))
        batch_op.drop_index(batch_op.f("ix_vms_vapp_id"))

    op.drop_table("vms")
    with op.batch_alter_table("vapps", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vapps_vdc_id"))

    op.drop_table("vapps")
    with op.batch_alter_table("vapp_templates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vapp_templates_vdc_id"))

    op.drop_table("vapp_templates")
    with op.batch_alter_table("networks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_networks_vdc_id"))

    op.drop_table("networks")
    op.drop_table("vdcs")
    with op.batch_alter_table("user_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_sessions_user_id"))

    op.drop_table("user_sessions")
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_services_account_id"))

    op.drop_table("services")
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_memberships_account_id"))

    op.drop_table("memberships")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entries_account_id_at")

    op.drop_table("audit_entries")
    op.drop_table("users")
    op.drop_table("schedule_slots")
    with op.batch_alter_table("login_attempts", schema=None) as batch_op:
        batch_op.drop_index("ix_login_attempts_email_hash_at")
        batch_op.drop_index(batch_op.f("ix_login_attempts_at"))
        batch_op.drop_index(batch_op.f("ix_login_attempts_address"))

    op.drop_table("login_attempts")
    op.drop_table("handlers")
    op.drop_table("accounts")
