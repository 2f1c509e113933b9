-- How attempts end, each fenced by the worker and the token of its claim: accepted = false for a job that is no longer
-- its own.

CREATE FUNCTION {{schema}}.worker_start(p_worker uuid, p_ids uuid[], p_tokens bigint[], p_alone boolean DEFAULT false)
    RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY UPDATE job j SET started_at = clock_timestamp(), held = false, alone = p_alone
    FROM unnest(p_ids, p_tokens) i(id, token)
    WHERE j.id = i.id AND j.lease_token = i.token AND j.worker = p_worker AND j.state = 'running' RETURNING j.id;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_start IS 'Dates the start of handlers, and says whether the job has the worker to itself (needed for a held or solo job); returns the ids that are still the worker''s.';

CREATE FUNCTION {{schema}}.worker_complete(p_worker uuid, p_ids uuid[], p_tokens bigint[], p_results jsonb[])
    RETURNS TABLE (id uuid, accepted boolean) LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
    v_done uuid[];
    v_parents uuid[];
    v_children uuid[];
    v_unique uuid[];
    v_flows uuid[];
    v_queues text[];
    v_keys text[];
    -- In the order of names.
    v_first text;
    v_last text;
    v_is_awaited boolean;
    v_is_limited boolean;
BEGIN
    WITH gone AS (
        -- IS TRUE: by the primary key, rather than through all entries, dead ones too, of the worker's running jobs for each.
        DELETE FROM job j
        USING (SELECT u.id, u.token, u.result FROM unnest(p_ids, p_tokens, p_results) u(id, token, result) ORDER BY u.id) i
        WHERE j.id = i.id AND (j.lease_token = i.token AND j.worker = p_worker AND j.state = 'running') IS TRUE
        RETURNING j.*, i.result
    ), kept AS (
        INSERT INTO job_history (id, outcome, finished_at, kind, queue, priority, run_at, payload, result, attempt, max_attempts,
            timeout, cores, memory, concurrency_key, unique_key, unique_scope, workflow, node, parents, policies, worker,
            claimed_at, seconds, crashes, errors, created_at, created_by, changed_by, reason, metadata)
        SELECT g.id, 'succeeded', v_now, g.kind, g.queue, g.priority, g.run_at, g.payload, g.result, g.attempt, g.max_attempts,
            g.timeout, g.cores, g.memory, g.concurrency_key, g.unique_key, g.unique_scope, g.workflow, g.node,
            CASE WHEN g.has_parents THEN (SELECT array_agg(e.parent ORDER BY e.parent) FROM job_edge e WHERE e.child = g.id) END,
            CASE WHEN g.has_parents THEN (SELECT array_agg(e.on_failure ORDER BY e.parent) FROM job_edge e WHERE e.child = g.id) END,
            p_worker, g.claimed_at, date_part('epoch', v_now - coalesce(g.started_at, g.claimed_at)),
            g.crashes, g.errors, g.created_at, g.created_by, g.changed_by, 'completed', g.metadata
        FROM gone g
    ), counted AS (
        INSERT INTO counter_delta (queue, running, succeeded) SELECT g.queue, -count(*), count(*) FROM gone g GROUP BY 1
    )
    SELECT array_agg(g.id), array_agg(g.id) FILTER (WHERE g.has_children), array_agg(g.id) FILTER (WHERE g.has_parents),
        array_agg(g.id) FILTER (WHERE g.unique_key IS NOT NULL AND g.unique_scope <> 'period'),
        array_agg(g.workflow) FILTER (WHERE g.workflow IS NOT NULL),
        array_agg(g.queue), array_agg(g.concurrency_key), min(g.queue), max(g.queue)
    INTO v_done, v_parents, v_children, v_unique, v_flows, v_queues, v_keys, v_first, v_last FROM gone g;
    IF v_done IS NULL THEN
        RETURN QUERY SELECT i, false FROM unnest(p_ids) i;
        RETURN;
    END IF;
    IF v_flows IS NOT NULL THEN
        INSERT INTO workflow_delta (workflow, succeeded) SELECT f, count(*) FROM unnest(v_flows) f GROUP BY 1;
    END IF;
    IF v_parents IS NOT NULL THEN
        PERFORM settle(v_parents, true, 'kiln');
    END IF;
    IF v_children IS NOT NULL THEN
        DELETE FROM job_edge e WHERE e.child = ANY (v_children);
    END IF;
    IF v_unique IS NOT NULL THEN
        PERFORM forget_unique(v_unique);
    END IF;
    -- As vacate() does, and one call less where there is but one queue; what the lock returns is never NULL.
    IF v_first <> v_last OR pg_advisory_xact_lock_shared(hashtext({{schema_literal}} || ':limits'), hashtext(v_first)) IS NULL THEN
        PERFORM hold_limits(v_queues);
    END IF;
    SELECT EXISTS (SELECT FROM job_waiter), EXISTS (SELECT FROM queue q
        WHERE q.name = ANY (CASE WHEN v_first = v_last THEN ARRAY[v_first] ELSE v_queues END)
            AND (q.concurrency IS NOT NULL OR q.key_concurrency IS NOT NULL))
    INTO v_is_awaited, v_is_limited;
    IF v_is_awaited THEN
        PERFORM announce(v_done);
    END IF;
    IF v_is_limited THEN
        PERFORM vacate(v_queues, v_keys);
    END IF;
    IF cardinality(v_done) = cardinality(p_ids) THEN
        RETURN QUERY SELECT i, true FROM unnest(p_ids) i;
    ELSE
        RETURN QUERY SELECT i, coalesce(i = ANY (v_done), false) FROM unnest(p_ids) i;
    END IF;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_complete IS 'Moves jobs that succeeded to the history with their results; accepted = false for those that are no longer the worker''s.';

-- The entry of an attempt that did not succeed; the newest 25 are kept.
CREATE FUNCTION {{schema}}.add_error(p_errors jsonb, p_entry jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
    SELECT CASE WHEN jsonb_array_length(coalesce(p_errors, '[]')) >= 25 THEN p_errors - 0 ELSE coalesce(p_errors, '[]') END
        || jsonb_build_array(p_entry)
$$;

-- Puts running jobs back: to ready, or to a later moment; those that somebody has cancelled meanwhile end here.
-- Returns which were the worker's.
CREATE FUNCTION {{schema}}.put_back(p_worker uuid, p_ids uuid[], p_tokens bigint[], p_state {{schema}}.job_state, p_run_at timestamptz,
    p_attempts integer, p_reason text, p_error jsonb) RETURNS uuid[] LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_ids uuid[];
    v_queues text[];
    v_keys text[];
    v_stop record;
    v_stopped uuid[] := '{}';
BEGIN
    PERFORM FROM job j WHERE j.id = ANY (p_ids) ORDER BY j.id FOR UPDATE;
    -- What was asked to stop has stopped: it does not come back.
    FOR v_stop IN SELECT array_agg(j.id) AS ids, j.cancel_reason AS why, j.cancel_by AS who
        FROM unnest(p_ids, p_tokens) i(id, token) JOIN job j ON j.id = i.id AND j.lease_token = i.token
        WHERE j.worker = p_worker AND j.state = 'running' AND j.cancel_requested_at IS NOT NULL GROUP BY 2, 3
    LOOP
        PERFORM finish(v_stop.ids, 'cancelled', v_stop.why, v_stop.who);
        v_stopped := v_stopped || v_stop.ids;
    END LOOP;
    WITH up AS (
        UPDATE job j SET state = p_state, run_at = coalesce(p_run_at, j.run_at), worker = NULL, alone = false, held = false,
            attempt = greatest(j.attempt + p_attempts, 0), changed_at = v_now, changed_by = coalesce(w.name, p_worker::text), reason = p_reason,
            errors = CASE WHEN p_error IS NULL THEN j.errors ELSE add_error(j.errors, p_error || jsonb_build_object(
                'attempt', j.attempt, 'worker', w.name, 'worker_id', p_worker, 'started_at', coalesce(j.started_at, j.claimed_at),
                'seconds', round(date_part('epoch', v_now - coalesce(j.started_at, j.claimed_at))::numeric, 3))) END
        FROM unnest(p_ids, p_tokens) i(id, token) LEFT JOIN worker w ON w.id = p_worker
        WHERE j.id = i.id AND j.lease_token = i.token AND j.worker = p_worker AND j.state = 'running'
        RETURNING j.id, j.queue, j.concurrency_key, j.priority, j.solo
    ), counted AS (
        INSERT INTO counter_delta (queue, running, ready, scheduled, failed)
        SELECT queue, -count(*), CASE WHEN p_state = 'ready' THEN count(*) ELSE 0 END,
            CASE WHEN p_state = 'scheduled' THEN count(*) ELSE 0 END, CASE WHEN p_state = 'failed' THEN count(*) ELSE 0 END
        FROM up GROUP BY queue
    ), laned AS (
        INSERT INTO lane_inbox SELECT queue, concurrency_key, max(priority) FROM up
        WHERE p_state = 'ready' AND concurrency_key IS NOT NULL AND NOT solo GROUP BY 1, 2
    )
    SELECT coalesce(array_agg(id), '{}'), array_agg(queue), array_agg(concurrency_key) INTO v_ids, v_queues, v_keys FROM up;
    PERFORM vacate(v_queues, v_keys);
    RETURN v_ids || v_stopped;
END $$;

-- Ends a running job without success. Returns whether it was the worker's.
CREATE FUNCTION {{schema}}.give_up(p_worker uuid, p_id uuid, p_token bigint, p_outcome {{schema}}.job_state, p_reason text, p_by text, p_error jsonb)
    RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_name text := coalesce((SELECT name FROM worker WHERE id = p_worker), p_worker::text);
BEGIN
    UPDATE job j SET errors = CASE WHEN p_error IS NULL THEN errors ELSE add_error(errors, p_error || jsonb_build_object(
            'attempt', attempt, 'worker', v_name, 'worker_id', p_worker, 'started_at', coalesce(started_at, claimed_at),
            'seconds', round(date_part('epoch', clock_timestamp() - coalesce(started_at, claimed_at))::numeric, 3))) END
    WHERE id = p_id AND lease_token = p_token AND worker = p_worker AND state = 'running';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM finish(ARRAY[p_id], p_outcome, p_reason, coalesce(p_by, v_name));
    RETURN true;
END $$;

CREATE FUNCTION {{schema}}.worker_fail(p_worker uuid, p_id uuid, p_token bigint, p_error jsonb, p_log jsonb DEFAULT NULL,
    p_delay interval DEFAULT '0', p_permanent boolean DEFAULT false)
    RETURNS TABLE (accepted boolean, state text, run_at timestamptz) LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_job record;
    v_entry jsonb := jsonb_strip_nulls(jsonb_build_object('outcome', CASE WHEN p_permanent THEN 'permanent' ELSE 'failed' END, 'error', p_error, 'log', p_log));
    v_at timestamptz := clock_timestamp() + greatest(p_delay, '0');
    v_why text := left(coalesce(p_error ->> 'message', p_error ->> 'code', 'failed'), 1000);
BEGIN
    SELECT j.attempt, j.max_attempts, j.cancel_requested_at, j.cancel_reason, j.cancel_by INTO v_job FROM job j
    WHERE j.id = p_id AND j.lease_token = p_token AND j.worker = p_worker AND j.state = 'running' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT false, NULL::text, NULL::timestamptz;
    ELSIF v_job.cancel_requested_at IS NOT NULL THEN
        RETURN QUERY SELECT give_up(p_worker, p_id, p_token, 'cancelled', v_job.cancel_reason, v_job.cancel_by, v_entry), 'cancelled', NULL::timestamptz;
    ELSIF p_permanent OR v_job.attempt >= v_job.max_attempts THEN
        RETURN QUERY SELECT give_up(p_worker, p_id, p_token, 'dead', v_why, NULL, v_entry), 'dead', NULL::timestamptz;
    ELSE
        PERFORM put_back(p_worker, ARRAY[p_id], ARRAY[p_token], 'failed', v_at, 0, v_why, v_entry);
        RETURN QUERY SELECT true, 'failed', v_at;
    END IF;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_fail IS 'Records a failed attempt: the job waits for p_delay, or is dead if that was its last attempt or the failure is permanent, or cancelled if that was asked for.';

CREATE FUNCTION {{schema}}.worker_snooze(p_worker uuid, p_id uuid, p_token bigint, p_until timestamptz, p_reason text DEFAULT NULL)
    RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (SELECT cardinality(put_back(p_worker, ARRAY[p_id], ARRAY[p_token], 'scheduled', p_until, -1, coalesce(p_reason, 'snoozed by its handler'), NULL)) > 0);
END $$;
COMMENT ON FUNCTION {{schema}}.worker_snooze IS 'Puts a job off until a moment; costs no attempt.';

CREATE FUNCTION {{schema}}.worker_release(p_worker uuid, p_ids uuid[], p_tokens bigint[], p_reason text DEFAULT NULL)
    RETURNS TABLE (id uuid, accepted boolean) LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_ids uuid[] := put_back(p_worker, p_ids, p_tokens, 'ready', NULL, -1, coalesce(p_reason, 'handed back by its worker'), NULL);
BEGIN
    RETURN QUERY SELECT i, i = ANY (v_ids) FROM unnest(p_ids) i;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_release IS 'Hands jobs back as ready; costs no attempt and records no error.';

CREATE FUNCTION {{schema}}.worker_cancelled(p_worker uuid, p_id uuid, p_token bigint, p_reason text DEFAULT NULL, p_log jsonb DEFAULT NULL)
    RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_job record;
BEGIN
    SELECT cancel_reason, cancel_by INTO v_job FROM job
    WHERE id = p_id AND lease_token = p_token AND worker = p_worker AND state = 'running' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    RETURN give_up(p_worker, p_id, p_token, 'cancelled', coalesce(v_job.cancel_reason, p_reason, 'cancelled by its handler'), v_job.cancel_by,
        jsonb_strip_nulls(jsonb_build_object('outcome', 'cancelled', 'log', p_log)));
END $$;
COMMENT ON FUNCTION {{schema}}.worker_cancelled IS 'Ends a job whose handler has stopped because of a cancel, or has cancelled itself.';

CREATE FUNCTION {{schema}}.worker_weigh(p_worker uuid, p_id uuid, p_token bigint, p_cores real, p_memory bigint)
    RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    UPDATE job SET cores = coalesce(p_cores, cores), memory = coalesce(p_memory, memory)
    WHERE id = p_id AND lease_token = p_token AND worker = p_worker AND state = 'running';
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_weigh IS 'Changes the weight of a running job, once its handler has seen its input.';
