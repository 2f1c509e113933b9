-- Views for people.

CREATE VIEW {{schema}}.jobs AS
    SELECT id, kind, queue, state, priority, run_at, payload, NULL::jsonb AS result, attempt, max_attempts, timeout, cores, memory,
        concurrency_key, unique_key, workflow, node, worker, claimed_at, started_at, NULL::timestamptz AS finished_at, NULL::double precision AS seconds,
        crashes, cancel_requested_at, cancel_reason, errors, created_at, created_by, changed_at, changed_by, reason, metadata
    FROM {{schema}}.job
    UNION ALL
    SELECT id, kind, queue, outcome, priority, run_at, payload, result, attempt, max_attempts, timeout, cores, memory,
        concurrency_key, unique_key, workflow, node, worker, claimed_at, NULL, finished_at, seconds,
        crashes, NULL, NULL, errors, created_at, created_by, finished_at, changed_by, reason, metadata
    FROM {{schema}}.job_history;
COMMENT ON VIEW {{schema}}.jobs IS 'Unfinished and finished jobs.';

CREATE VIEW {{schema}}.dead_jobs AS
    SELECT id, kind, queue, finished_at, attempt, crashes, reason, errors -> -1 AS last_error, payload, errors, workflow, node, created_at, created_by
    FROM {{schema}}.job_history WHERE outcome = 'dead';

CREATE VIEW {{schema}}.queues AS
    WITH counts AS (
        SELECT queue, sum(blocked) AS blocked, sum(scheduled) AS scheduled, sum(ready) AS ready, sum(running) AS running,
            sum(failed) AS failed, sum(succeeded) AS succeeded, sum(cancelled) AS cancelled, sum(dead) AS dead
        FROM (SELECT * FROM {{schema}}.counter UNION ALL
              SELECT queue, blocked, scheduled, ready, running, failed, succeeded, cancelled, dead FROM {{schema}}.counter_delta) c
        GROUP BY queue)
    SELECT coalesce(c.queue, q.name) AS queue, coalesce(q.paused, false) AS paused, coalesce(c.blocked, 0)::bigint AS blocked,
        coalesce(c.scheduled, 0)::bigint AS scheduled, coalesce(c.ready, 0)::bigint AS ready, coalesce(c.running, 0)::bigint AS running,
        coalesce(c.failed, 0)::bigint AS failed, coalesce(c.succeeded, 0)::bigint AS succeeded,
        coalesce(c.cancelled, 0)::bigint AS cancelled, coalesce(c.dead, 0)::bigint AS dead,
        q.concurrency, q.worker_concurrency, q.key_concurrency, q.rate_limit, q.rate_interval, q.changed_at, q.changed_by
    FROM counts c FULL JOIN {{schema}}.queue q ON q.name = c.queue;
COMMENT ON VIEW {{schema}}.queues IS 'Each queue with its limits and counters; finished ones are counted since the beginning.';

CREATE VIEW {{schema}}.workers AS
    SELECT w.id, w.name, w.host, w.pid, w.version, w.queues, w.kinds, w.cores, w.memory, w.slots,
        CASE WHEN w.state IN ('alive', 'draining') AND w.expires_at < clock_timestamp() THEN 'expired' ELSE w.state END AS state,
        w.asleep, (SELECT count(*) FROM {{schema}}.job j WHERE j.worker = w.id AND j.state = 'running') AS running,
        w.started_at, w.renewed_at, w.expires_at, w.stopped_at, w.rescued, w.details
    FROM {{schema}}.worker w;

CREATE VIEW {{schema}}.pipeline_runs AS
    SELECT w.id AS workflow, w.name, CASE
            WHEN c.total > c.succeeded + c.dead + c.cancelled THEN CASE WHEN w.cancel_requested_at IS NOT NULL THEN 'cancelling' ELSE 'running' END
            WHEN w.cancel_requested_at IS NOT NULL AND c.dead = 0 AND c.cancelled > 0 THEN 'cancelled'
            WHEN c.dead > 0 THEN 'failed' WHEN c.cancelled > 0 THEN 'cancelled' ELSE 'succeeded' END AS status,
        c.total, c.succeeded, c.dead, c.cancelled, c.total - c.succeeded - c.dead - c.cancelled AS unfinished,
        w.created_at, w.created_by, CASE WHEN c.total <= c.succeeded + c.dead + c.cancelled THEN coalesce(w.finished_at, c.at) END AS finished_at,
        w.cancel_requested_at, w.cancel_reason, w.cancel_by, w.metadata
    FROM {{schema}}.workflow w CROSS JOIN LATERAL (
        SELECT w.total + coalesce(sum(d.total), 0)::integer AS total, w.succeeded + coalesce(sum(d.succeeded), 0)::integer AS succeeded,
            w.dead + coalesce(sum(d.dead), 0)::integer AS dead, w.cancelled + coalesce(sum(d.cancelled), 0)::integer AS cancelled, max(d.at) AS at
        FROM {{schema}}.workflow_delta d WHERE d.workflow = w.id) c;
COMMENT ON VIEW {{schema}}.pipeline_runs IS 'Workflows with a status derived from counts alone.';

CREATE VIEW {{schema}}.pipeline_steps AS
    SELECT j.workflow, j.node, s.job, s.name, s.seq, s.status, s.attempt, s.started_at, s.finished_at,
        date_part('epoch', coalesce(s.finished_at, CASE WHEN s.status = 'running' THEN clock_timestamp() END) - s.started_at) AS seconds,
        s.result, s.artifact, s.error, s.metadata
    FROM {{schema}}.step s LEFT JOIN LATERAL (
        SELECT workflow, node FROM {{schema}}.job WHERE id = s.job
        UNION ALL SELECT workflow, node FROM {{schema}}.job_history WHERE id = s.job LIMIT 1) j ON true;
COMMENT ON VIEW {{schema}}.pipeline_steps IS 'Durable steps, with the workflow and node of their job.';

-- Since when the job that has been ready for longest may run. From head to head in the indexes that claims use: one step
-- for each queue and priority, or queue, key and priority, that has ready jobs, however many these are. Of the two branches
-- of a step the first that has a row is taken.
CREATE FUNCTION {{schema}}.oldest_ready() RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
    SET max_parallel_workers_per_gather = 0 AS $$
    WITH RECURSIVE plain AS (
        (SELECT queue, priority, run_at FROM job WHERE state = 'ready' AND concurrency_key IS NULL AND NOT solo
         ORDER BY queue, priority DESC, run_at, id LIMIT 1)
        UNION ALL
        SELECT n.queue, n.priority, n.run_at FROM plain p CROSS JOIN LATERAL (
            (SELECT queue, priority, run_at FROM job WHERE state = 'ready' AND concurrency_key IS NULL AND NOT solo
                 AND queue = p.queue AND priority < p.priority ORDER BY queue, priority DESC, run_at, id LIMIT 1)
            UNION ALL
            (SELECT queue, priority, run_at FROM job WHERE state = 'ready' AND concurrency_key IS NULL AND NOT solo
                 AND queue > p.queue ORDER BY queue, priority DESC, run_at, id LIMIT 1)
            LIMIT 1) n
    ), keyed AS (
        (SELECT queue, concurrency_key AS key, priority, run_at FROM job WHERE state = 'ready' AND concurrency_key IS NOT NULL AND NOT solo
         ORDER BY queue, concurrency_key, priority DESC, run_at, id LIMIT 1)
        UNION ALL
        SELECT n.queue, n.key, n.priority, n.run_at FROM keyed k CROSS JOIN LATERAL (
            (SELECT queue, concurrency_key AS key, priority, run_at FROM job WHERE state = 'ready' AND concurrency_key IS NOT NULL AND NOT solo
                 AND queue = k.queue AND concurrency_key = k.key AND priority < k.priority
             ORDER BY queue, concurrency_key, priority DESC, run_at, id LIMIT 1)
            UNION ALL
            (SELECT queue, concurrency_key, priority, run_at FROM job WHERE state = 'ready' AND concurrency_key IS NOT NULL AND NOT solo
                 AND (queue, concurrency_key) > (k.queue, k.key)
             ORDER BY queue, concurrency_key, priority DESC, run_at, id LIMIT 1)
            LIMIT 1) n
    )
    SELECT least((SELECT min(run_at) FROM plain), (SELECT min(run_at) FROM keyed),
        -- What must run alone is rare.
        (SELECT min(run_at) FROM job WHERE state = 'ready' AND solo))
$$;
COMMENT ON FUNCTION {{schema}}.oldest_ready IS 'Since when the job that has been ready for longest may run; NULL if none is ready.';

CREATE VIEW {{schema}}.health AS
    SELECT (SELECT coalesce(sum(ready), 0)::bigint FROM {{schema}}.queues) AS ready,
        (SELECT coalesce(sum(running), 0)::bigint FROM {{schema}}.queues) AS running,
        (SELECT coalesce(sum(dead), 0)::bigint FROM {{schema}}.queues) AS dead,
        (SELECT clock_timestamp() - {{schema}}.oldest_ready()) AS oldest_ready,
        (SELECT count(*) FROM {{schema}}.worker WHERE state IN ('alive', 'draining') AND expires_at > clock_timestamp()) AS workers_alive,
        (SELECT count(*) FROM {{schema}}.worker WHERE state IN ('alive', 'draining') AND expires_at <= clock_timestamp()) AS workers_expired,
        -- Transactions between the oldest snapshot and now: dead rows of these cannot be vacuumed.
        (SELECT max(age(backend_xmin)) FROM pg_catalog.pg_stat_activity WHERE backend_xmin IS NOT NULL) AS horizon_age,
        (SELECT clock_timestamp() - min(xact_start) FROM pg_catalog.pg_stat_activity WHERE backend_xmin IS NOT NULL) AS oldest_transaction,
        s.n_dead_tup AS dead_rows, s.n_live_tup AS live_rows, s.last_autovacuum,
        pg_catalog.pg_table_size(s.relid) AS table_bytes, pg_catalog.pg_indexes_size(s.relid) AS index_bytes
    FROM pg_catalog.pg_stat_user_tables s WHERE s.schemaname = {{schema_literal}} AND s.relname = 'job';
COMMENT ON VIEW {{schema}}.health IS 'One row: depth, the head of the queues by age, workers, and what holds vacuum back.';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA {{schema}} FROM PUBLIC;
