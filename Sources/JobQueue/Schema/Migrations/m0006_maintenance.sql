-- What workers do in turn for the queue itself. Each part is done by one session at a time; others pass it over.

-- One worker in a transaction: its rows are locked in the order that everybody keeps.
CREATE FUNCTION {{schema}}.rescue() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
    v_worker record;
    v_now timestamptz := clock_timestamp();
    v_jobs record;
    v_ids uuid[];
    v_suspects integer;
    v_left integer;
    v_entry jsonb;
    v_total integer := 0;
BEGIN
    -- A job that somebody holds stays for the next round: a frozen worker's own transaction may hold it for long, and
    -- neither its other jobs nor other workers' wait for that. Until the last is taken the worker is merely expired.
    FOR v_worker IN SELECT w.id, w.name, w.renewed_at, w.rescued FROM worker w
        WHERE w.state IN ('alive', 'draining') AND w.expires_at < v_now ORDER BY w.rescued > 0, w.id LIMIT 1 FOR UPDATE SKIP LOCKED
    LOOP
        v_ids := ARRAY(SELECT id FROM job WHERE worker = v_worker.id AND state = 'running' ORDER BY id FOR UPDATE SKIP LOCKED);
        SELECT count(*) FILTER (WHERE NOT held) + v_worker.rescued, count(*) FILTER (WHERE id <> ALL (v_ids))
        INTO v_suspects, v_left FROM job WHERE worker = v_worker.id AND state = 'running';
        IF v_left = 0 THEN
            UPDATE worker SET state = 'dead', asleep = false, stopped_at = v_now WHERE id = v_worker.id;
        END IF;
        v_entry := jsonb_build_object('outcome', 'worker_lost', 'worker', v_worker.name, 'worker_id', v_worker.id,
            'error', jsonb_build_object('code', 'worker_lost', 'message', 'its worker stopped renewing its lease', 'neighbours', v_suspects - 1));
        -- A death counts against a job only if no other can have caused it.
        WITH up AS (
            UPDATE job SET crashes = crashes + CASE WHEN NOT held AND (alone OR v_suspects = 1) THEN 1 ELSE 0 END,
                solo = solo OR NOT held, attempt = greatest(attempt - 1, 0),
                errors = CASE WHEN held THEN errors ELSE add_error(errors, v_entry || jsonb_build_object('attempt', attempt,
                    'started_at', coalesce(started_at, claimed_at), 'alone', alone OR v_suspects = 1,
                    'seconds', round(date_part('epoch', v_worker.renewed_at - coalesce(started_at, claimed_at))::numeric, 3))) END
            WHERE id = ANY (v_ids) RETURNING id, lease_token, crashes, cancel_requested_at, attempt
        )
        SELECT array_agg(id) FILTER (WHERE cancel_requested_at IS NOT NULL) AS cancelled,
            array_agg(id) FILTER (WHERE cancel_requested_at IS NULL AND crashes >= 3) AS dead,
            array_agg(id) FILTER (WHERE cancel_requested_at IS NULL AND crashes < 3) AS back,
            array_agg(lease_token) FILTER (WHERE cancel_requested_at IS NULL AND crashes < 3) AS tokens, count(*) AS n
        INTO v_jobs FROM up;
        IF v_jobs.back IS NOT NULL THEN
            PERFORM put_back(v_worker.id, v_jobs.back, v_jobs.tokens, 'ready', NULL, 0, 'its worker stopped renewing its lease', NULL);
        END IF;
        IF v_jobs.cancelled IS NOT NULL THEN
            PERFORM finish(v_jobs.cancelled, 'cancelled', 'cancelled; its worker stopped renewing its lease', 'kiln');
        END IF;
        IF v_jobs.dead IS NOT NULL THEN
            UPDATE job SET errors = add_error(errors, jsonb_build_object('outcome', 'dead', 'attempt', attempt + 1, 'error', jsonb_build_object(
                'code', 'crash_suspect', 'message', 'its worker died ' || crashes || ' times while this job ran alone'))) WHERE id = ANY (v_jobs.dead);
            PERFORM finish(v_jobs.dead, 'dead', 'crash suspect: its worker died while it ran alone, three times', 'kiln');
        END IF;
        UPDATE worker SET rescued = rescued + v_jobs.n WHERE id = v_worker.id;
        v_total := v_total + v_jobs.n;
    END LOOP;
    RETURN v_total;
END $$;
COMMENT ON FUNCTION {{schema}}.rescue IS 'Takes back the jobs of one worker whose lease has expired, but for those that somebody holds just now; returns how many.';

CREATE FUNCTION {{schema}}.try_turn(p_part text) RETURNS boolean LANGUAGE sql AS $$
    SELECT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtext({{schema_literal}} || ':maintain'), pg_catalog.hashtext(p_part))
$$;

CREATE FUNCTION {{schema}}.roll_up() RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    WITH gone AS (
        DELETE FROM counter_delta RETURNING *
    )
    INSERT INTO counter AS c (queue, blocked, scheduled, ready, running, failed, succeeded, cancelled, dead)
    SELECT queue, sum(blocked), sum(scheduled), sum(ready), sum(running), sum(failed), sum(succeeded), sum(cancelled), sum(dead)
    FROM gone GROUP BY queue ORDER BY queue
    ON CONFLICT (queue) DO UPDATE SET blocked = c.blocked + excluded.blocked, scheduled = c.scheduled + excluded.scheduled,
        ready = c.ready + excluded.ready, running = c.running + excluded.running, failed = c.failed + excluded.failed,
        succeeded = c.succeeded + excluded.succeeded, cancelled = c.cancelled + excluded.cancelled, dead = c.dead + excluded.dead;
    WITH gone AS (
        DELETE FROM workflow_delta d USING (SELECT w.id FROM workflow w WHERE w.id IN (SELECT workflow FROM workflow_delta)
            ORDER BY w.id FOR NO KEY UPDATE SKIP LOCKED) w WHERE d.workflow = w.id RETURNING d.*
    ), sums AS (
        SELECT workflow, sum(total) AS total, sum(succeeded) AS succeeded, sum(dead) AS dead, sum(cancelled) AS cancelled, max(at) AS at
        FROM gone GROUP BY workflow
    )
    UPDATE workflow w SET total = w.total + s.total, succeeded = w.succeeded + s.succeeded, dead = w.dead + s.dead,
        cancelled = w.cancelled + s.cancelled,
        finished_at = CASE WHEN w.succeeded + s.succeeded + w.dead + s.dead + w.cancelled + s.cancelled >= w.total + s.total THEN s.at END
    FROM sums s WHERE w.id = s.workflow;
END $$;

CREATE FUNCTION {{schema}}.partition_name(p_outcome text, p_day date) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'job_history_' || p_outcome || '_' || pg_catalog.to_char(p_day, 'YYYYMMDD')
$$;

-- Makes the partitions of the days to come. Locks are not waited for: there are days of time.
CREATE FUNCTION {{schema}}.make_partitions() RETURNS integer LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    v_outcome text;
    v_day date;
    v_name text;
    v_n integer := 0;
BEGIN
    SET LOCAL lock_timeout = '200ms';
    FOREACH v_outcome IN ARRAY '{succeeded,cancelled,dead}'::text[] LOOP
        FOR v_day IN SELECT current_date + i FROM generate_series(0, (SELECT value::integer FROM setting WHERE name = 'partitions_ahead')) i LOOP
            v_name := partition_name(v_outcome, v_day);
            CONTINUE WHEN EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = {{schema_literal}} AND c.relname = v_name);
            BEGIN
                EXECUTE format('CREATE TABLE %1$I.%2$I PARTITION OF %1$I.%3$I FOR VALUES FROM (%4$L) TO (%5$L)', {{schema_literal}}, v_name,
                    'job_history_' || v_outcome, v_day::timestamptz, (v_day + 1)::timestamptz);
                v_n := v_n + 1;
            EXCEPTION WHEN lock_not_available OR check_violation THEN
                -- Busy, or rows of that day lie in the default partition already: those are kept and dropped there.
                NULL;
            END;
        END LOOP;
    END LOOP;
    RETURN v_n;
END $$;

-- Drops what is older than the retention. A parent that an unfinished child needs moves to the default partition, and
-- keeps its steps.
CREATE FUNCTION {{schema}}.drop_partitions() RETURNS integer LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    v_part record;
    v_n integer := 0;
    v_until timestamptz;
    v_outcome text;
BEGIN
    SET LOCAL lock_timeout = '200ms';
    FOREACH v_outcome IN ARRAY '{succeeded,cancelled,dead}'::text[] LOOP
        v_until := clock_timestamp() - (SELECT value::interval FROM setting WHERE name = 'retention_' || v_outcome);
        FOR v_part IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = {{schema_literal}} AND c.relkind = 'r' AND c.relname ~ ('^job_history_' || v_outcome || '_[0-9]{8}$')
            AND to_date(right(c.relname, 8), 'YYYYMMDD') + 1 <= v_until ORDER BY 1
        LOOP
            BEGIN
                EXECUTE format('CREATE TEMP TABLE kiln_needed ON COMMIT DROP AS SELECT h.* FROM %I.%I h WHERE EXISTS (SELECT FROM job_edge e WHERE e.parent = h.id)',
                    {{schema_literal}}, v_part.relname);
                EXECUTE format('DELETE FROM job_progress p USING %I.%I h WHERE p.job = h.id AND NOT EXISTS (SELECT FROM job_edge e WHERE e.parent = h.id)', {{schema_literal}}, v_part.relname);
                EXECUTE format('DELETE FROM step s USING %I.%I h WHERE s.job = h.id AND NOT EXISTS (SELECT FROM job_edge e WHERE e.parent = h.id)', {{schema_literal}}, v_part.relname);
                EXECUTE format('DROP TABLE %I.%I', {{schema_literal}}, v_part.relname);
                INSERT INTO job_history SELECT * FROM pg_temp.kiln_needed;
                DROP TABLE pg_temp.kiln_needed;
                v_n := v_n + 1;
            EXCEPTION WHEN lock_not_available THEN
                NULL;
            END;
        END LOOP;
        FOR v_part IN EXECUTE format('SELECT h.id FROM %I.%I h WHERE h.finished_at < $1 AND NOT EXISTS (SELECT FROM job_edge e WHERE e.parent = h.id) LIMIT 5000',
            {{schema_literal}}, 'job_history_' || v_outcome || '_default') USING v_until
        LOOP
            DELETE FROM job_progress WHERE job = v_part.id;
            DELETE FROM step WHERE job = v_part.id;
            EXECUTE format('DELETE FROM %I.%I WHERE id = $1', {{schema_literal}}, 'job_history_' || v_outcome || '_default') USING v_part.id;
        END LOOP;
    END LOOP;
    RETURN v_n;
END $$;

-- Puts right the counts of limited queues and of lanes, should they ever be wrong.
CREATE FUNCTION {{schema}}.recount() RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_row record;
BEGIN
    PERFORM absorb_freed((SELECT array_agg(DISTINCT queue::text) FROM lane_freed));
    FOR v_row IN SELECT l.queue, l.key FROM lane l JOIN queue q ON q.name = l.queue AND q.key_concurrency IS NOT NULL
        LEFT JOIN (SELECT queue, concurrency_key AS key, count(*) AS n FROM job WHERE state = 'running' AND concurrency_key IS NOT NULL GROUP BY 1, 2) r
            ON r.queue = l.queue AND r.key = l.key
        LEFT JOIN (SELECT f.queue, u.key, sum(u.n) AS n FROM lane_freed f, unnest(f.keys, f.counts) u(key, n) GROUP BY 1, 2) i
            ON i.queue = l.queue AND i.key = l.key
        WHERE l.running - coalesce(i.n, 0) <> coalesce(r.n, 0) ORDER BY 1, 2 LIMIT 1000
    LOOP
        -- One at a time, without waiting; a difference seen from outside may be a claim under way.
        PERFORM FROM lane WHERE queue = v_row.queue AND key = v_row.key FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        UPDATE lane l SET running = c.n, open = l.active AND (c.most IS NULL OR c.n < c.most)
        FROM (SELECT (SELECT count(*)::integer FROM job WHERE state = 'running' AND queue = v_row.queue AND concurrency_key = v_row.key)
                + (SELECT coalesce(sum(u.n), 0)::integer FROM lane_freed f, unnest(f.keys, f.counts) u(key, n)
                   WHERE f.queue = v_row.queue AND u.key = v_row.key) AS n,
                (SELECT key_concurrency FROM queue WHERE name = v_row.queue) AS most) c
        WHERE l.queue = v_row.queue AND l.key = v_row.key;
    END LOOP;
    DELETE FROM lane l WHERE (l.queue, l.key) IN (SELECT k.queue, k.key FROM lane k
            WHERE NOT k.active AND k.running = 0 AND k.turn < clock_timestamp() - interval '1 hour' LIMIT 1000 FOR UPDATE SKIP LOCKED)
        AND NOT l.active AND l.running = 0;
    FOR v_row IN SELECT name FROM queue WHERE concurrency IS NOT NULL OR rate_limit IS NOT NULL ORDER BY name LOOP
        PERFORM recount_queue(v_row.name);
    END LOOP;
END $$;

-- "often" is for every second or two, "rarely" for every minute; NULL does both.
CREATE FUNCTION {{schema}}.maintain(p_part text DEFAULT NULL) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_done jsonb := '{}';
    v_flow record;
    v_due double precision;
BEGIN
    IF p_part NOT IN ('often', 'rarely') THEN
        PERFORM invalid('maintain', 'p_part', p_part, 'there is no such part', 'Use often, rarely or NULL.');
    END IF;
    IF coalesce(p_part, 'often') = 'often' AND try_turn('often') THEN
        v_done := v_done || jsonb_build_object('rescued', rescue(), 'promoted', promote_due(clock_timestamp(), 2000));
        -- Workers that sleep are told in time of what comes due before the next round or the one after.
        v_due := next_due();
        IF v_due < 2 AND EXISTS (SELECT FROM worker w WHERE w.asleep AND w.state = 'alive') THEN
            PERFORM pg_notify({{schema_literal}}, 'due:' || v_due);
        END IF;
        FOR v_flow IN SELECT w.id, w.cancel_reason, w.cancel_by FROM workflow w WHERE w.cancel_requested_at IS NOT NULL
            AND w.finished_at IS NULL AND EXISTS (SELECT FROM job j WHERE j.workflow = w.id AND (j.state <> 'running' OR j.cancel_requested_at IS NULL)) LIMIT 100
        LOOP
            PERFORM cancel_members(ARRAY[v_flow.id], v_flow.cancel_reason, v_flow.cancel_by);
        END LOOP;
        PERFORM roll_up();
        v_done := v_done || jsonb_build_object('more', EXISTS (SELECT FROM worker w
            WHERE w.state IN ('alive', 'draining') AND w.expires_at < clock_timestamp()));
    END IF;
    IF coalesce(p_part, 'rarely') = 'rarely' AND try_turn('rarely') THEN
        v_done := v_done || jsonb_build_object('partitions_made', make_partitions(), 'partitions_dropped', drop_partitions());
        PERFORM recount();
        DELETE FROM unique_claim WHERE ctid = ANY (ARRAY(SELECT ctid FROM unique_claim WHERE until < clock_timestamp() LIMIT 10000 FOR UPDATE SKIP LOCKED));
        DELETE FROM job_waiter WHERE ctid = ANY (ARRAY(SELECT ctid FROM job_waiter WHERE expires_at < clock_timestamp() LIMIT 10000 FOR UPDATE SKIP LOCKED));
        DELETE FROM worker WHERE state IN ('gone', 'dead') AND stopped_at < clock_timestamp() - interval '1 day'
            AND NOT EXISTS (SELECT FROM job j WHERE j.worker = worker.id AND j.state = 'running');
        DELETE FROM workflow w WHERE w.finished_at < clock_timestamp() - (SELECT max(value::interval) FROM setting WHERE name LIKE 'retention\_%')
            AND NOT EXISTS (SELECT FROM job j WHERE j.workflow = w.id);
    END IF;
    RETURN v_done;
END $$;
COMMENT ON FUNCTION {{schema}}.maintain IS 'Housekeeping: "often" (rescue, promote, roll up counters) every second or two, and again at once while "more" is true; "rarely" (partitions, retention, recounts) every minute. Safe to call from any number of workers; partitions are not waited for.';

SELECT {{schema}}.make_partitions();
