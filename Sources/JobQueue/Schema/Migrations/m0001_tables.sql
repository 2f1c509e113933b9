-- Tables, types and indexes. The hot table `job` holds unfinished jobs only; what has finished lies in `job_history`.

-- CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where it exists.
DO $$ BEGIN
    IF to_regnamespace(quote_ident({{schema_literal}})) IS NULL THEN
        CREATE SCHEMA {{schema}};
    END IF;
END $$;

CREATE TYPE {{schema}}.job_state AS ENUM
    ('blocked', 'scheduled', 'ready', 'running', 'failed', 'succeeded', 'cancelled', 'dead');
CREATE TYPE {{schema}}.parent_failure AS ENUM ('cancel', 'run', 'fail_workflow');

-- Settings that SQL itself reads.
CREATE TABLE {{schema}}.setting (
    name text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
);
INSERT INTO {{schema}}.setting VALUES
    ('retention_succeeded', '7 days'), ('retention_cancelled', '7 days'), ('retention_dead', '90 days'),
    ('partitions_ahead', '4'), ('role_prefix', 'kiln_');

CREATE TABLE {{schema}}.queue (
    name text COLLATE "C" PRIMARY KEY,
    paused boolean NOT NULL DEFAULT false,
    concurrency integer,
    worker_concurrency integer,
    key_concurrency integer,
    rate_limit integer,
    rate_interval interval,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by name NOT NULL DEFAULT session_user
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.01);

CREATE TABLE {{schema}}.kind (
    name text COLLATE "C" PRIMARY KEY,
    queue text COLLATE "C",
    max_attempts integer,
    timeout interval,
    cores real,
    memory bigint,
    retry_base interval,
    retry_factor real,
    retry_max interval,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by name NOT NULL DEFAULT session_user
);

CREATE SEQUENCE {{schema}}.lease_token_seq AS bigint CACHE 1;

CREATE TABLE {{schema}}.job (
    id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    queue text COLLATE "C" NOT NULL,
    state {{schema}}.job_state NOT NULL,
    priority integer NOT NULL DEFAULT 0,
    run_at timestamptz NOT NULL,
    payload jsonb NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL,
    timeout interval,
    cores real NOT NULL DEFAULT 1,
    memory bigint NOT NULL DEFAULT 0,
    concurrency_key text COLLATE "C",
    unique_key text COLLATE "C",
    unique_scope text COLLATE "C",
    workflow uuid,
    node text COLLATE "C",
    pending integer NOT NULL DEFAULT 0,
    has_parents boolean NOT NULL DEFAULT false,
    has_children boolean NOT NULL DEFAULT false,
    worker uuid,
    lease_token bigint,
    claimed_at timestamptz,
    started_at timestamptz,
    crashes integer NOT NULL DEFAULT 0,
    solo boolean NOT NULL DEFAULT false,
    alone boolean NOT NULL DEFAULT false,
    held boolean NOT NULL DEFAULT false,
    cancel_requested_at timestamptz,
    cancel_reason text,
    cancel_by text,
    errors jsonb,
    created_at timestamptz NOT NULL,
    created_by name NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    reason text,
    metadata jsonb,
    -- With room for another version of each row, which a claim makes.
    CONSTRAINT job_pkey PRIMARY KEY (id) WITH (fillfactor = 50)
) WITH (fillfactor = 85, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.01,
        autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = 10000,
        autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.1);

-- Each index is in the order of one fetch, and holds only what that fetch may return.
CREATE INDEX job_ready ON {{schema}}.job (queue, priority DESC, run_at, id)
    WHERE state = 'ready' AND concurrency_key IS NULL AND NOT solo;
CREATE INDEX job_ready_keyed ON {{schema}}.job (queue, concurrency_key, priority DESC, run_at, id)
    WHERE state = 'ready' AND concurrency_key IS NOT NULL AND NOT solo;
CREATE INDEX job_solo ON {{schema}}.job (queue, priority DESC, run_at, id) WHERE state = 'ready' AND solo;
CREATE INDEX job_due ON {{schema}}.job (run_at) WHERE state IN ('scheduled', 'failed');
CREATE INDEX job_running ON {{schema}}.job (worker) WHERE state = 'running';
-- Nearly always empty: each renewal asks it, and would walk a worker's finished jobs in the index above while an old
-- transaction keeps them from being vacuumed.
CREATE INDEX job_cancelling ON {{schema}}.job (worker) WHERE state = 'running' AND cancel_requested_at IS NOT NULL;
CREATE INDEX job_workflow ON {{schema}}.job (workflow) WHERE workflow IS NOT NULL;

CREATE TABLE {{schema}}.job_edge (
    parent uuid NOT NULL,
    child uuid NOT NULL,
    on_failure {{schema}}.parent_failure NOT NULL,
    -- The parent has finished and the child knows.
    done boolean NOT NULL,
    -- The parent existed before the call that made the child, so it may finish while that transaction is open.
    outside boolean NOT NULL,
    PRIMARY KEY (parent, child)
);
CREATE INDEX job_edge_child ON {{schema}}.job_edge (child);

CREATE TABLE {{schema}}.workflow (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    created_by name NOT NULL,
    created_at timestamptz NOT NULL,
    metadata jsonb,
    total integer NOT NULL DEFAULT 0,
    succeeded integer NOT NULL DEFAULT 0,
    dead integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    finished_at timestamptz,
    cancel_requested_at timestamptz,
    cancel_reason text,
    cancel_by text
);
CREATE INDEX workflow_cancelling ON {{schema}}.workflow (id)
    WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL;
CREATE INDEX workflow_finished ON {{schema}}.workflow (finished_at) WHERE finished_at IS NOT NULL;

-- Counts are appended and rolled up, so that nobody waits for a workflow's or a queue's row.
CREATE TABLE {{schema}}.workflow_delta (
    workflow uuid NOT NULL,
    total integer NOT NULL DEFAULT 0,
    succeeded integer NOT NULL DEFAULT 0,
    dead integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX workflow_delta_workflow ON {{schema}}.workflow_delta (workflow);

CREATE TABLE {{schema}}.counter (
    queue text COLLATE "C" PRIMARY KEY,
    blocked bigint NOT NULL DEFAULT 0,
    scheduled bigint NOT NULL DEFAULT 0,
    ready bigint NOT NULL DEFAULT 0,
    running bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    succeeded bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0,
    dead bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE {{schema}}.counter_delta (
    queue text COLLATE "C" NOT NULL,
    blocked integer NOT NULL DEFAULT 0,
    scheduled integer NOT NULL DEFAULT 0,
    ready integer NOT NULL DEFAULT 0,
    running integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    succeeded integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    dead integer NOT NULL DEFAULT 0,
    -- A slot came free: jobs that were ready all along may now be claimed.
    wake boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE {{schema}}.job_history (
    id uuid NOT NULL,
    outcome {{schema}}.job_state NOT NULL,
    finished_at timestamptz NOT NULL,
    kind text COLLATE "C" NOT NULL,
    queue text COLLATE "C" NOT NULL,
    priority integer NOT NULL,
    run_at timestamptz NOT NULL,
    payload jsonb NOT NULL,
    result jsonb,
    attempt integer NOT NULL,
    max_attempts integer NOT NULL,
    timeout interval,
    cores real NOT NULL,
    memory bigint NOT NULL,
    concurrency_key text COLLATE "C",
    unique_key text COLLATE "C",
    unique_scope text COLLATE "C",
    workflow uuid,
    node text COLLATE "C",
    parents uuid[],
    policies {{schema}}.parent_failure[],
    worker uuid,
    claimed_at timestamptz,
    seconds double precision,
    crashes integer NOT NULL,
    errors jsonb,
    created_at timestamptz NOT NULL,
    created_by name NOT NULL,
    changed_by text NOT NULL,
    reason text,
    metadata jsonb
) PARTITION BY LIST (outcome);
CREATE TABLE {{schema}}.job_history_succeeded PARTITION OF {{schema}}.job_history FOR VALUES IN ('succeeded')
    PARTITION BY RANGE (finished_at);
CREATE TABLE {{schema}}.job_history_cancelled PARTITION OF {{schema}}.job_history FOR VALUES IN ('cancelled')
    PARTITION BY RANGE (finished_at);
CREATE TABLE {{schema}}.job_history_dead PARTITION OF {{schema}}.job_history FOR VALUES IN ('dead')
    PARTITION BY RANGE (finished_at);
CREATE TABLE {{schema}}.job_history_succeeded_default PARTITION OF {{schema}}.job_history_succeeded DEFAULT;
CREATE TABLE {{schema}}.job_history_cancelled_default PARTITION OF {{schema}}.job_history_cancelled DEFAULT;
CREATE TABLE {{schema}}.job_history_dead_default PARTITION OF {{schema}}.job_history_dead DEFAULT;
CREATE INDEX job_history_id ON {{schema}}.job_history (id);
CREATE INDEX job_history_finished ON {{schema}}.job_history_dead (finished_at);
CREATE INDEX job_history_workflow ON {{schema}}.job_history (workflow) WHERE workflow IS NOT NULL;

CREATE TABLE {{schema}}.job_progress (
    job uuid PRIMARY KEY,
    token bigint NOT NULL,
    fraction real,
    phase text,
    message text,
    details jsonb,
    checkpoint jsonb,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.02);

CREATE TABLE {{schema}}.step (
    job uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    seq integer NOT NULL,
    status text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed')),
    attempt integer NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    result jsonb,
    artifact text,
    error jsonb,
    metadata jsonb,
    PRIMARY KEY (job, name)
) WITH (fillfactor = 80);

CREATE TABLE {{schema}}.unique_claim (
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    job uuid NOT NULL,
    scope text COLLATE "C" NOT NULL,
    until timestamptz,
    PRIMARY KEY (kind, key)
);

CREATE TABLE {{schema}}.worker (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    host text,
    pid integer,
    version text,
    queues text[] NOT NULL,
    kinds text[] NOT NULL DEFAULT '{}',
    cores real,
    memory bigint,
    slots integer,
    state text NOT NULL DEFAULT 'alive' CHECK (state IN ('alive', 'draining', 'gone', 'dead')),
    lease interval NOT NULL,
    asleep boolean NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL,
    renewed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    stopped_at timestamptz,
    rescued integer NOT NULL DEFAULT 0,
    details jsonb
) WITH (fillfactor = 30, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE {{schema}}.schedule (
    name text COLLATE "C" PRIMARY KEY,
    cron text NOT NULL,
    timezone text NOT NULL,
    kind text COLLATE "C" NOT NULL,
    payload jsonb NOT NULL,
    options jsonb NOT NULL,
    missed text NOT NULL CHECK (missed IN ('skip', 'last', 'all')),
    paused boolean NOT NULL DEFAULT false,
    -- Ticks at or before this moment are settled: fired, skipped, or older than the schedule.
    settled_until timestamptz NOT NULL,
    last_tick timestamptz,
    last_job uuid,
    next_tick timestamptz,
    created_by name NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    revision bigint NOT NULL DEFAULT 1
);

-- One job as a producer asks for it, defaults not yet applied.
CREATE TYPE {{schema}}.job_request AS (
    kind text,
    payload jsonb,
    queue text,
    priority integer,
    run_at timestamptz,
    max_attempts integer,
    timeout interval,
    unique_key text,
    unique_scope text,
    unique_period interval,
    on_duplicate text,
    concurrency_key text,
    depends_on uuid[],
    on_parent_failure text,
    workflow uuid,
    cores real,
    memory bigint,
    metadata jsonb,
    node text
);
