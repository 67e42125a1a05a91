"""the people tables."""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = """
create table api_keys (
    id text primary key,
    name text not null,
    role text not null constraint api_keys_role_is_known check (role in ('reader', 'writer', 'admin')),
    secret_sha256 bytea not null,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);
create table departments (
    id integer primary key constraint departments_id_is_positive check (id > 0),
    name text not null,
    is_active boolean not null default true
);
create table jobs (
    id integer primary key constraint jobs_id_is_positive check (id > 0),
    name text not null,
    is_active boolean not null default true
);
create table imports (
    batch_id uuid primary key,
    table_name text not null,
    file_name text not null,
    file_sha256 text not null,
    is_sample boolean not null,
    accepted_count bigint not null,
    rejected_count bigint not null,
    finished_at timestamptz not null default now()
);
create table rejected_rows (
    id bigint generated always as identity primary key,
    batch_id uuid not null,
    table_name text not null,
    source text not null,
    row_number bigint not null,
    payload text not null,
    reasons text[] not null,
    rejected_at timestamptz not null default now(),
    unique (batch_id, row_number)
);
create table employees (
    id integer primary key constraint employees_id_is_positive check (id > 0),
    name text not null,
    hiring_date timestamptz not null constraint employees_hiring_date_is_plausible
        check (hiring_date >= '1900-01-01 00:00+00' and hiring_date < '2200-01-01 00:00+00'),
    department_id integer not null references departments,
    job_id integer not null references jobs,
    is_active boolean not null default true
);
create index ix_employees_department_id on employees (department_id);
create index ix_employees_job_id on employees (job_id);
create table idempotency_keys (
    api_key_id text not null references api_keys,
    key text not null,
    request_sha256 bytea not null,
    answer text,
    created_at timestamptz not null default now(),
    primary key (api_key_id, key)
);
create index ix_idempotency_keys_created_at on idempotency_keys (created_at);
"""


def upgrade() -> None:
    op.execute(_TABLES)
