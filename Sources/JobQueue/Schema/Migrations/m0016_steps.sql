-- What a running job has besides: its parents' results, jobs that it spawns, and durable steps.

CREATE FUNCTION {{schema}}.worker_parents(p_id uuid)
    RETURNS TABLE (parent uuid, node text, kind text, state text, result jsonb, reason text) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
    SELECT e.parent, h.node, h.kind, coalesce(h.outcome::text, 'dropped'), h.result, CASE WHEN h.outcome <> 'succeeded' THEN h.reason END
    FROM job_edge e LEFT JOIN LATERAL (SELECT * FROM job_history h WHERE h.id = e.parent LIMIT 1) h ON true
    WHERE e.child = p_id ORDER BY e.parent
$$;
COMMENT ON FUNCTION {{schema}}.worker_parents IS 'The parents of an unfinished job with their outcomes and results.';

CREATE FUNCTION {{schema}}.worker_spawn(p_worker uuid, p_id uuid, p_token bigint, p_jobs jsonb) RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_job record;
BEGIN
    SELECT workflow, created_by INTO v_job FROM job
    WHERE id = p_id AND lease_token = p_token AND worker = p_worker AND state = 'running' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'worker_spawn: job % is no longer run by worker %', p_id, p_worker USING ERRCODE = 'KL001',
            HINT = 'Stop the handler: another worker may have the job.';
    END IF;
    RETURN QUERY SELECT unnest(enqueue_as(p_jobs, v_job.created_by, v_job.workflow, 'worker_spawn'));
END $$;
COMMENT ON FUNCTION {{schema}}.worker_spawn IS 'Enqueues jobs from within a running one, into its workflow and in the name of its creator; keys as in enqueue_many. Returns their ids in order.';

-- Durable steps.
CREATE FUNCTION {{schema}}.worker_step_begin(p_worker uuid, p_id uuid, p_token bigint, p_name text, p_metadata jsonb DEFAULT NULL)
    RETURNS TABLE (accepted boolean, status text, result jsonb, artifact text) LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_attempt integer;
    v_step record;
BEGIN
    PERFORM check_name('worker_step_begin', 'p_name', p_name);
    SELECT j.attempt INTO v_attempt FROM job j
    WHERE j.id = p_id AND j.lease_token = p_token AND j.worker = p_worker AND j.state = 'running' FOR SHARE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT false, NULL::text, NULL::jsonb, NULL::text;
        RETURN;
    END IF;
    SELECT s.status, s.result, s.artifact INTO v_step FROM step s WHERE s.job = p_id AND s.name = p_name;
    IF FOUND AND v_step.status = 'succeeded' THEN
        RETURN QUERY SELECT true, v_step.status, v_step.result, v_step.artifact;
        RETURN;
    END IF;
    INSERT INTO step AS s (job, name, seq, status, attempt, started_at, metadata)
    VALUES (p_id, p_name, (SELECT coalesce(max(x.seq), 0) + 1 FROM step x WHERE x.job = p_id), 'running', v_attempt, clock_timestamp(), p_metadata)
    ON CONFLICT (job, name) DO UPDATE SET status = 'running', attempt = excluded.attempt, started_at = excluded.started_at,
        finished_at = NULL, error = NULL, metadata = coalesce(excluded.metadata, s.metadata);
    RETURN QUERY SELECT true, 'running', NULL::jsonb, NULL::text;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_step_begin IS 'Begins a step: status succeeded comes with the stored result or artifact and means that it is not to be run again.';

CREATE FUNCTION {{schema}}.worker_step_finish(p_worker uuid, p_id uuid, p_token bigint, p_name text, p_result jsonb DEFAULT NULL,
    p_artifact text DEFAULT NULL, p_error jsonb DEFAULT NULL, p_metadata jsonb DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    PERFORM FROM job j WHERE j.id = p_id AND j.lease_token = p_token AND j.worker = p_worker AND j.state = 'running' FOR SHARE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE step SET status = CASE WHEN p_error IS NULL THEN 'succeeded' ELSE 'failed' END, finished_at = clock_timestamp(),
        result = p_result, artifact = p_artifact, error = p_error, metadata = coalesce(p_metadata, metadata)
    WHERE job = p_id AND name = p_name;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_step_finish IS 'Ends a step: with an error it failed, otherwise it succeeded with its result or a reference to it.';

CREATE FUNCTION {{schema}}.worker_steps(p_id uuid) RETURNS TABLE (name text, seq integer, status text, attempt integer,
    started_at timestamptz, finished_at timestamptz, result jsonb, artifact text, error jsonb, metadata jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
    SELECT name::text, seq, status, attempt, started_at, finished_at, result, artifact, error, metadata FROM step WHERE job = p_id ORDER BY seq
$$;
COMMENT ON FUNCTION {{schema}}.worker_steps IS 'The steps of a job, in the order in which they first began.';
