-- A worker's life, its lease, and what it says about its running jobs. Every write about a job is fenced: it needs the
-- worker's id and the token of its claim, and misses when the job has meanwhile gone to somebody else.

CREATE FUNCTION {{schema}}.lease_lost(p_worker uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'worker % has lost its lease', p_worker USING ERRCODE = 'KL001',
        HINT = 'Its jobs may run elsewhere by now: stop them and register again under a new id.';
END $$;

CREATE FUNCTION {{schema}}.worker_register(p_worker uuid, p_name text, p_host text, p_pid integer, p_version text,
    p_queues text[], p_kinds jsonb, p_cores real, p_memory bigint, p_slots integer, p_lease interval, p_details jsonb DEFAULT NULL)
    RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_kind record;
BEGIN
    IF p_worker IS NULL OR coalesce(p_name, '') = '' OR coalesce(cardinality(p_queues), 0) = 0 THEN
        PERFORM invalid('worker_register', 'p_worker, p_name or p_queues', NULL, 'a worker has an id, a name and queues', NULL);
    ELSIF p_lease IS NULL OR p_lease < interval '1 second' THEN
        PERFORM invalid('worker_register', 'p_lease', p_lease::text, 'a lease lasts at least a second', NULL);
    END IF;
    INSERT INTO worker (id, name, host, pid, version, queues, kinds, cores, memory, slots, lease, started_at, renewed_at, expires_at, details)
    VALUES (p_worker, p_name, p_host, p_pid, p_version, p_queues,
        coalesce((SELECT array_agg(e ->> 'name' ORDER BY e ->> 'name') FROM jsonb_array_elements(p_kinds) e), '{}'),
        p_cores, p_memory, p_slots, p_lease, v_now, v_now, v_now + p_lease, p_details);
    -- In the order of names; rows that say the same already are not written.
    FOR v_kind IN SELECT * FROM jsonb_to_recordset(p_kinds) AS k(name text, queue text, max_attempts integer, timeout interval,
        cores real, memory bigint, retry_base interval, retry_factor real, retry_max interval) ORDER BY name
    LOOP
        INSERT INTO kind AS k (name, queue, max_attempts, timeout, cores, memory, retry_base, retry_factor, retry_max)
        VALUES (v_kind.name, v_kind.queue, v_kind.max_attempts, v_kind.timeout, v_kind.cores, v_kind.memory,
            v_kind.retry_base, v_kind.retry_factor, v_kind.retry_max)
        ON CONFLICT (name) DO UPDATE SET queue = excluded.queue, max_attempts = excluded.max_attempts, timeout = excluded.timeout,
            cores = excluded.cores, memory = excluded.memory, retry_base = excluded.retry_base,
            retry_factor = excluded.retry_factor, retry_max = excluded.retry_max, changed_at = v_now, changed_by = session_user
        WHERE (k.queue, k.max_attempts, k.timeout, k.cores, k.memory, k.retry_base, k.retry_factor, k.retry_max) IS DISTINCT FROM
            (excluded.queue, excluded.max_attempts, excluded.timeout, excluded.cores, excluded.memory, excluded.retry_base,
             excluded.retry_factor, excluded.retry_max);
    END LOOP;
    RETURN v_now + p_lease;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_register IS 'Announces a worker under a fresh id and writes the defaults of its kinds (an array of {name, queue, max_attempts, timeout, cores, memory, retry_base, retry_factor, retry_max}); returns when its lease expires.';

CREATE FUNCTION {{schema}}.worker_progress(p_worker uuid, p_progress jsonb) RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY INSERT INTO job_progress AS p (job, token, fraction, phase, message, details, checkpoint, updated_at)
    SELECT i.id, i.token, i.fraction, i.phase, i.message, i.details, i.checkpoint, clock_timestamp()
    FROM jsonb_to_recordset(p_progress) AS i(id uuid, token bigint, fraction real, phase text, message text, details jsonb, checkpoint jsonb)
    JOIN job j ON j.id = i.id AND j.lease_token = i.token AND j.worker = p_worker AND j.state = 'running'
    ORDER BY i.id FOR SHARE OF j
    ON CONFLICT (job) DO UPDATE SET token = excluded.token, fraction = excluded.fraction, phase = excluded.phase,
        message = excluded.message, details = excluded.details, checkpoint = coalesce(excluded.checkpoint, p.checkpoint),
        updated_at = excluded.updated_at WHERE p.token <= excluded.token
    RETURNING job;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_progress IS 'Writes progress: an array of {id, token, fraction, phase, message, details, checkpoint}; a checkpoint that is left out stays. Returns the ids that are still the worker''s.';

CREATE FUNCTION {{schema}}.worker_signals(p_worker uuid) RETURNS TABLE (job uuid, token bigint, signal text, reason text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
    SELECT id, lease_token, 'cancel', cancel_reason FROM job
    WHERE worker = p_worker AND state = 'running' AND cancel_requested_at IS NOT NULL
$$;
COMMENT ON FUNCTION {{schema}}.worker_signals IS 'What a worker has been asked to do to its running jobs: cancel.';

CREATE FUNCTION {{schema}}.worker_jobs(p_worker uuid) RETURNS TABLE (job uuid, token bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
    SELECT id, lease_token FROM job WHERE worker = p_worker AND state = 'running'
$$;
COMMENT ON FUNCTION {{schema}}.worker_jobs IS 'The jobs that a worker holds: it looks for those of a claim whose answer was lost.';

CREATE FUNCTION {{schema}}.worker_renew(p_worker uuid, p_lease interval, p_progress jsonb DEFAULT NULL)
    RETURNS TABLE (job uuid, token bigint, signal text, reason text) LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE worker SET renewed_at = clock_timestamp(), expires_at = clock_timestamp() + p_lease, lease = p_lease
    WHERE id = p_worker AND state IN ('alive', 'draining') AND expires_at > clock_timestamp();
    IF NOT FOUND THEN
        PERFORM lease_lost(p_worker);
    END IF;
    IF p_progress IS NOT NULL AND p_progress <> '[]' THEN
        PERFORM worker_progress(p_worker, p_progress);
    END IF;
    RETURN QUERY SELECT * FROM worker_signals(p_worker);
END $$;
COMMENT ON FUNCTION {{schema}}.worker_renew IS 'Renews the lease of a worker with all its jobs, writes the progress that rides along, and returns what worker_signals returns; raises KL001 when the lease was lost.';

CREATE FUNCTION {{schema}}.worker_sleep(p_worker uuid, p_total_memory bigint DEFAULT NULL)
    RETURNS TABLE (asleep boolean, next_due double precision) LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
    v_queues text[];
    v_asleep boolean;
    v_name text;
    v_now timestamptz;
    v_due timestamptz;
    v_open text[];
BEGIN
    SELECT w.queues, w.asleep INTO v_queues, v_asleep FROM worker w
    WHERE w.id = p_worker AND w.state = 'alive' AND w.expires_at > clock_timestamp();
    IF NOT FOUND THEN
        PERFORM lease_lost(p_worker);
    END IF;
    IF NOT v_asleep THEN
        -- Held by producers until their commit is visible: whoever commits later sees that this worker sleeps.
        FOREACH v_name IN ARRAY v_queues LOOP
            IF NOT pg_try_advisory_xact_lock(hashtext({{schema_literal}}), hashtext(v_name)) THEN
                RETURN QUERY SELECT false, 0.0::double precision;
                RETURN;
            END IF;
        END LOOP;
        SET LOCAL synchronous_commit = off;
        UPDATE worker w SET asleep = true WHERE w.id = p_worker;
    END IF;
    v_now := clock_timestamp();
    -- Queues that could start something.
    SELECT array_agg(x) INTO v_open FROM unnest(v_queues) x LEFT JOIN queue c ON c.name = x
    WHERE c.name IS NULL OR NOT c.paused
        AND (c.concurrency IS NULL OR (SELECT sum(p.n) FROM permit p WHERE p.queue = c.name AND NOT p.rated) > 0)
        AND (c.worker_concurrency IS NULL OR c.worker_concurrency > (SELECT count(*) FROM job j
            WHERE j.worker = p_worker AND j.state = 'running' AND j.queue = c.name))
        AND (c.rate_limit IS NULL OR EXISTS (SELECT FROM permit p
            WHERE p.queue = c.name AND p.rated AND p.at <= v_now - c.rate_interval));
    IF EXISTS (SELECT FROM unnest(v_open) x WHERE
            EXISTS (SELECT FROM job j WHERE j.queue = x AND j.state = 'ready' AND j.concurrency_key IS NULL AND NOT j.solo
                AND (p_total_memory IS NULL OR j.memory <= p_total_memory))
            OR EXISTS (SELECT FROM lane l WHERE l.queue = x AND l.open)
            OR EXISTS (SELECT FROM job j WHERE j.queue = x AND j.state = 'ready' AND j.solo))
       OR EXISTS (SELECT FROM lane_inbox i WHERE i.queue = ANY (v_open))
       OR EXISTS (SELECT FROM lane_freed f JOIN lane l ON l.queue = f.queue AND l.active AND NOT l.open WHERE f.queue = ANY (v_open)) THEN
        -- There is something that another claim may be holding just now.
        RETURN QUERY SELECT false, 0.0::double precision;
        RETURN;
    END IF;
    v_due := (SELECT j.run_at FROM job j WHERE j.state IN ('scheduled', 'failed') ORDER BY j.run_at LIMIT 1);
    v_due := least(v_due, (SELECT min(p.at + c.rate_interval) FROM queue c JOIN permit p ON p.queue = c.name AND p.rated
        WHERE c.rate_limit IS NOT NULL AND c.name = ANY (v_queues) AND c.name <> ALL (coalesce(v_open, '{}'))
            AND p.at > v_now - c.rate_interval));
    RETURN QUERY SELECT true, CASE WHEN v_due IS NOT NULL THEN greatest(date_part('epoch', v_due - v_now), 0) END;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_sleep IS 'Asks to be woken: asleep = true means that a NOTIFY follows whatever becomes claimable from now on (next_due: seconds until a job is due without one, or NULL); false means claim again shortly. Commit it before the next claim.';

CREATE FUNCTION {{schema}}.worker_drain(p_worker uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    UPDATE worker SET state = 'draining', asleep = false WHERE id = p_worker AND state = 'alive';
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_drain IS 'Says that a worker takes no more jobs; it renews and finishes as before.';

CREATE FUNCTION {{schema}}.worker_leave(p_worker uuid) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_ids uuid[];
    v_tokens bigint[];
BEGIN
    UPDATE worker SET state = 'gone', asleep = false, stopped_at = clock_timestamp() WHERE id = p_worker AND state IN ('alive', 'draining');
    SELECT array_agg(id), array_agg(lease_token) INTO v_ids, v_tokens FROM job WHERE worker = p_worker AND state = 'running';
    IF v_ids IS NULL THEN
        RETURN 0;
    END IF;
    RETURN cardinality(put_back(p_worker, v_ids, v_tokens, 'ready', NULL, -1, 'its worker has left', NULL));
END $$;
COMMENT ON FUNCTION {{schema}}.worker_leave IS 'Ends a worker; jobs it still has are handed back at no cost. Returns how many.';
