-- What people and apps set of queues, kinds and the time that finished jobs are kept.

CREATE FUNCTION {{schema}}.check_name(p_where text, p_argument text, p_name text) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    IF coalesce(p_name, '') = '' OR octet_length(p_name) > 200 THEN
        PERFORM invalid(p_where, p_argument, p_name, 'a name has 1 to 200 bytes', NULL);
    END IF;
END $$;

CREATE FUNCTION {{schema}}.set_queue(name text, concurrency integer DEFAULT NULL, worker_concurrency integer DEFAULT NULL,
    key_concurrency integer DEFAULT NULL, rate_limit integer DEFAULT NULL, rate_interval interval DEFAULT NULL)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_most integer := key_concurrency;
BEGIN
    PERFORM check_name('set_queue', 'name', set_queue.name);
    IF concurrency < 1 THEN
        PERFORM invalid('set_queue', 'concurrency', concurrency::text, 'it must be at least 1', 'Use pause() to stop a queue, NULL for no limit.');
    ELSIF worker_concurrency < 1 THEN
        PERFORM invalid('set_queue', 'worker_concurrency', worker_concurrency::text, 'it must be at least 1', 'NULL is no limit.');
    ELSIF key_concurrency < 1 THEN
        PERFORM invalid('set_queue', 'key_concurrency', key_concurrency::text, 'it must be at least 1', 'NULL is no limit.');
    ELSIF rate_limit < 1 THEN
        PERFORM invalid('set_queue', 'rate_limit', rate_limit::text, 'it must be at least 1', 'NULL is no limit.');
    ELSIF (rate_limit IS NULL) <> (rate_interval IS NULL) THEN
        PERFORM invalid('set_queue', 'rate_interval', rate_interval::text, 'rate_limit and rate_interval go together', 'For 100 a minute: rate_limit => 100, rate_interval => ''1 minute''.');
    ELSIF rate_interval <= interval '0' THEN
        PERFORM invalid('set_queue', 'rate_interval', rate_interval::text, 'it must be longer than nothing', NULL);
    END IF;
    -- Waits for claims and finishes under way; those to come wait for this commit and see the new limits.
    PERFORM pg_advisory_xact_lock(hashtext({{schema_literal}} || ':limits'), hashtext(set_queue.name));
    -- Lanes before the queue's row, as everywhere.
    PERFORM FROM lane l WHERE l.queue = set_queue.name ORDER BY l.key FOR NO KEY UPDATE;
    WITH forgotten AS (
        DELETE FROM lane_freed f WHERE f.queue = set_queue.name
    ), counted AS MATERIALIZED (
        SELECT j.concurrency_key AS key, count(*)::integer AS n FROM job j
        WHERE v_most IS NOT NULL AND j.state = 'running' AND j.queue = set_queue.name AND j.concurrency_key IS NOT NULL GROUP BY 1
    ), fresh AS (
        INSERT INTO lane (queue, key, running, active, open) SELECT set_queue.name, c.key, c.n, false, false FROM counted c
        WHERE NOT EXISTS (SELECT FROM lane l WHERE l.queue = set_queue.name AND l.key = c.key)
    )
    UPDATE lane l SET running = t.n, open = l.active AND (v_most IS NULL OR t.n < v_most)
    FROM (SELECT k.key, coalesce(c.n, 0) AS n FROM lane k LEFT JOIN counted c ON c.key = k.key WHERE k.queue = set_queue.name) t
    WHERE l.queue = set_queue.name AND l.key = t.key
        AND (l.running, l.open) <> (t.n, l.active AND (v_most IS NULL OR t.n < v_most));
    INSERT INTO queue AS q (name, concurrency, worker_concurrency, key_concurrency, rate_limit, rate_interval)
    VALUES (set_queue.name, set_queue.concurrency, set_queue.worker_concurrency, v_most, set_queue.rate_limit, set_queue.rate_interval)
    ON CONFLICT (name) DO UPDATE SET concurrency = excluded.concurrency, worker_concurrency = excluded.worker_concurrency,
        key_concurrency = excluded.key_concurrency, rate_limit = excluded.rate_limit, rate_interval = excluded.rate_interval,
        changed_at = clock_timestamp(), changed_by = session_user;
    PERFORM recount_queue(set_queue.name);
    INSERT INTO counter_delta (queue, wake) VALUES (set_queue.name, true);
END $$;
COMMENT ON FUNCTION {{schema}}.set_queue IS 'Sets all limits of a queue; what is left out is unlimited.';

CREATE FUNCTION {{schema}}.set_paused(p_where text, p_name text, p_paused boolean) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    PERFORM check_name(p_where, 'queue', p_name);
    INSERT INTO queue (name, paused) VALUES (p_name, p_paused)
    ON CONFLICT (name) DO UPDATE SET paused = excluded.paused, changed_at = clock_timestamp(), changed_by = session_user;
    INSERT INTO counter_delta (queue, wake) VALUES (p_name, NOT p_paused);
END $$;

CREATE FUNCTION {{schema}}.pause(queue text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$ BEGIN PERFORM set_paused('pause', queue, true); END $$;
COMMENT ON FUNCTION {{schema}}.pause IS 'Stops workers from starting jobs of a queue; those that run go on.';
CREATE FUNCTION {{schema}}.resume(queue text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$ BEGIN PERFORM set_paused('resume', queue, false); END $$;
COMMENT ON FUNCTION {{schema}}.resume IS 'Undoes pause.';

CREATE FUNCTION {{schema}}.set_kind(name text, queue text DEFAULT NULL, max_attempts integer DEFAULT NULL,
    timeout interval DEFAULT NULL, cores real DEFAULT NULL, memory bigint DEFAULT NULL, retry_base interval DEFAULT NULL,
    retry_factor real DEFAULT NULL, retry_max interval DEFAULT NULL) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_request(ROW(set_kind.name, NULL, set_kind.queue, NULL, NULL, set_kind.max_attempts, set_kind.timeout, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, set_kind.cores, set_kind.memory, NULL, NULL)::job_request, 'set_kind');
    IF retry_base <= interval '0' OR retry_max <= interval '0' THEN
        PERFORM invalid('set_kind', 'retry_base or retry_max', least(retry_base, retry_max)::text, 'it must be longer than nothing', NULL);
    ELSIF retry_factor < 1 THEN
        PERFORM invalid('set_kind', 'retry_factor', retry_factor::text, 'it must be at least 1', NULL);
    END IF;
    INSERT INTO kind AS k (name, queue, max_attempts, timeout, cores, memory, retry_base, retry_factor, retry_max)
    VALUES (set_kind.name, set_kind.queue, set_kind.max_attempts, set_kind.timeout, set_kind.cores, set_kind.memory,
        set_kind.retry_base, set_kind.retry_factor, set_kind.retry_max)
    ON CONFLICT (name) DO UPDATE SET queue = excluded.queue, max_attempts = excluded.max_attempts, timeout = excluded.timeout,
        cores = excluded.cores, memory = excluded.memory, retry_base = excluded.retry_base,
        retry_factor = excluded.retry_factor, retry_max = excluded.retry_max, changed_at = clock_timestamp(), changed_by = session_user;
END $$;
COMMENT ON FUNCTION {{schema}}.set_kind IS 'Sets the defaults that enqueue takes for jobs of a kind; workers do it when they register.';

CREATE FUNCTION {{schema}}.set_retention(outcome text, keep interval) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF outcome IS NULL OR outcome NOT IN ('succeeded', 'cancelled', 'dead') THEN
        PERFORM invalid('set_retention', 'outcome', outcome, 'there is no such outcome', 'Use succeeded, cancelled or dead.');
    ELSIF keep IS NULL OR keep < interval '1 hour' THEN
        PERFORM invalid('set_retention', 'keep', keep::text, 'it must be at least an hour', NULL);
    END IF;
    UPDATE setting SET value = keep::text WHERE name = 'retention_' || set_retention.outcome;
END $$;
COMMENT ON FUNCTION {{schema}}.set_retention IS 'Sets how long finished jobs of an outcome are kept; whole days are dropped.';
