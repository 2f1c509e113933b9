-- What people and apps do with jobs, workflows and dead letters.

CREATE FUNCTION {{schema}}.job(id uuid) RETURNS jsonb LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_job jsonb;
BEGIN
    SELECT to_jsonb(j) - 'pending' - 'has_children' - 'has_parents' - 'solo' - 'alone' - 'held' - 'unique_scope' INTO v_job
    FROM job j WHERE j.id = job.id;
    IF NOT FOUND THEN
        SELECT to_jsonb(h) - 'outcome' - 'policies' - 'unique_scope' || jsonb_build_object('state', h.outcome) INTO v_job
        FROM job_history h WHERE h.id = job.id LIMIT 1;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    ELSE
        v_job := v_job || jsonb_build_object('parents', (SELECT jsonb_agg(e.parent ORDER BY e.parent) FROM job_edge e WHERE e.child = job.id));
    END IF;
    IF NOT may_read((v_job ->> 'created_by')::name) THEN
        PERFORM refuse_stranger('job', job.id::text);
    END IF;
    RETURN jsonb_strip_nulls(v_job - 'payload' - 'result' - 'errors' - 'metadata')
        || jsonb_build_object('payload', v_job -> 'payload', 'result', v_job -> 'result', 'metadata', v_job -> 'metadata',
            'errors', coalesce(nullif(v_job -> 'errors', 'null'), '[]'),
            'progress', (SELECT to_jsonb(p) - 'job' - 'token' FROM job_progress p WHERE p.job = job.id),
            'steps', coalesce((SELECT jsonb_agg(to_jsonb(s) - 'job' ORDER BY s.seq) FROM step s WHERE s.job = job.id), '[]'));
END $$;
COMMENT ON FUNCTION {{schema}}.job IS 'Everything about a job as JSON, or NULL if there is none of that id.';

CREATE FUNCTION {{schema}}.unknown_job(p_where text, p_id uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: job % does not exist', p_where, coalesce(p_id::text, 'NULL') USING ERRCODE = 'KL002',
        HINT = 'It was never enqueued, its transaction has not committed, or it finished longer ago than the retention.';
END $$;

CREATE FUNCTION {{schema}}.cancel(id uuid, reason text DEFAULT NULL) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_job record;
    v_reason text := coalesce(cancel.reason, 'cancelled by request');
BEGIN
    SELECT j.state, j.created_by INTO v_job FROM job j WHERE j.id = cancel.id;
    IF FOUND AND NOT may_change(v_job.created_by) THEN
        PERFORM refuse_stranger('job', cancel.id::text);
    END IF;
    SELECT j.state, j.created_by INTO v_job FROM job j WHERE j.id = cancel.id FOR UPDATE;
    IF NOT FOUND THEN
        SELECT h.outcome AS state, h.created_by INTO v_job FROM job_history h WHERE h.id = cancel.id LIMIT 1;
        IF NOT FOUND THEN
            PERFORM unknown_job('cancel', cancel.id);
        ELSIF NOT may_change(v_job.created_by) THEN
            PERFORM refuse_stranger('job', cancel.id::text);
        END IF;
        RETURN v_job.state;
    ELSIF v_job.state = 'running' THEN
        PERFORM ask_to_stop(ARRAY[cancel.id], v_reason, session_user);
        RETURN 'cancelling';
    END IF;
    PERFORM finish(ARRAY[cancel.id], 'cancelled', v_reason, session_user);
    RETURN 'cancelled';
END $$;
COMMENT ON FUNCTION {{schema}}.cancel IS 'Cancels a job: returns cancelled, cancelling (its worker has been told), or the state in which it had already ended.';

-- Brings jobs back from the history. A parent that succeeded, or that failed where the child runs anyway, is done.
CREATE FUNCTION {{schema}}.revive(p_ids uuid[], p_where text, p_by text) RETURNS integer LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_back uuid[];
    v_bad record;
    v_n integer;
BEGIN
    -- The row's lock is taken first, so that of two calls one finds nothing left.
    WITH gone AS (
        DELETE FROM job_history WHERE id = ANY (p_ids) AND outcome IN ('dead', 'cancelled') RETURNING *
    ), back AS (
        INSERT INTO job (id, kind, queue, state, priority, run_at, payload, max_attempts, timeout, cores, memory,
            concurrency_key, unique_key, unique_scope, workflow, node, pending, has_parents, errors, created_at,
            created_by, changed_at, changed_by, reason, metadata, lease_token)
        SELECT id, kind, queue, 'blocked', priority, least(run_at, v_now), payload, max_attempts, timeout, cores, memory,
            concurrency_key, CASE WHEN unique_scope = 'unfinished' THEN unique_key END,
            CASE WHEN unique_scope = 'unfinished' THEN unique_scope END, workflow, node, 0, parents IS NOT NULL, errors,
            created_at, created_by, v_now, p_by, 'retried by hand', metadata, 0
        FROM gone RETURNING id
    ), edges AS (
        INSERT INTO job_edge (parent, child, on_failure, done, outside)
        SELECT u.parent, g.id, u.policy, coalesce(s.outcome = 'succeeded' OR s.outcome IS NOT NULL AND u.policy = 'run', false), true
        FROM gone g, unnest(g.parents, g.policies) u(parent, policy)
        LEFT JOIN LATERAL (SELECT CASE WHEN u.parent <> ALL (p_ids) OR h.outcome = 'succeeded' THEN h.outcome END AS outcome
            FROM job_history h WHERE h.id = u.parent LIMIT 1) s ON true
        ORDER BY 1, 2
    ), counted AS (
        INSERT INTO counter_delta (queue, blocked, cancelled, dead)
        SELECT queue, count(*), -count(*) FILTER (WHERE outcome = 'cancelled'), -count(*) FILTER (WHERE outcome = 'dead')
        FROM gone GROUP BY queue
    ), flows AS (
        INSERT INTO workflow_delta (workflow, dead, cancelled)
        SELECT workflow, -count(*) FILTER (WHERE outcome = 'dead'), -count(*) FILTER (WHERE outcome = 'cancelled')
        FROM gone WHERE workflow IS NOT NULL GROUP BY workflow
    )
    SELECT array_agg(id) INTO v_back FROM back;
    IF v_back IS NULL THEN
        RETURN 0;
    END IF;
    SELECT e.child, e.parent, h.outcome INTO v_bad FROM job_edge e JOIN job_history h ON h.id = e.parent
    WHERE e.child = ANY (v_back) AND NOT e.done AND h.outcome IN ('dead', 'cancelled') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%: job % needs its parent %, which is %', p_where, v_bad.child, v_bad.parent, v_bad.outcome
            USING ERRCODE = '55000', HINT = 'Retry the parent first, or the whole workflow with retry_workflow.';
    END IF;
    UPDATE job j SET has_children = true WHERE j.id = ANY (v_back)
        AND EXISTS (SELECT FROM job_edge e WHERE e.parent = j.id AND NOT e.done);
    FOR v_bad IN SELECT j.id, j.kind, j.unique_key FROM job j WHERE j.id = ANY (v_back) AND j.unique_key IS NOT NULL
        ORDER BY j.kind, j.unique_key
    LOOP
        INSERT INTO unique_claim (kind, key, job, scope) VALUES (v_bad.kind, v_bad.unique_key, v_bad.id, 'unfinished')
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RAISE EXCEPTION '%: another job has taken unique_key "%" of job %', p_where, v_bad.unique_key, v_bad.id
                USING ERRCODE = '23505', HINT = 'Wait until that job has finished, or cancel it.';
        END IF;
    END LOOP;
    UPDATE workflow w SET finished_at = NULL, cancel_requested_at = NULL, cancel_reason = NULL, cancel_by = NULL
    WHERE w.id IN (SELECT workflow FROM job WHERE id = ANY (v_back));
    WITH up AS (
        UPDATE job j SET pending = c.pending, state = CASE WHEN c.pending > 0 THEN 'blocked' ELSE 'ready' END::job_state
        FROM (SELECT b.id, (SELECT count(*) FROM job_edge e WHERE e.child = b.id AND NOT e.done) AS pending
              FROM unnest(v_back) b(id)) c
        WHERE j.id = c.id RETURNING j.queue, j.state, j.concurrency_key, j.priority
    ), laned AS (
        INSERT INTO lane_inbox SELECT queue, concurrency_key, max(priority) FROM up
        WHERE state = 'ready' AND concurrency_key IS NOT NULL GROUP BY 1, 2
    )
    INSERT INTO counter_delta (queue, blocked, ready)
    SELECT queue, -count(*), count(*) FROM up WHERE state = 'ready' GROUP BY queue;
    RETURN cardinality(v_back);
END $$;

CREATE FUNCTION {{schema}}.retry(id uuid) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_job record;
BEGIN
    SELECT j.state, j.created_by INTO v_job FROM job j WHERE j.id = retry.id;
    IF NOT FOUND THEN
        SELECT h.outcome AS state, h.created_by INTO v_job FROM job_history h WHERE h.id = retry.id LIMIT 1;
        IF NOT FOUND THEN
            PERFORM unknown_job('retry', retry.id);
        END IF;
    END IF;
    IF NOT may_change(v_job.created_by) THEN
        PERFORM refuse_stranger('job', retry.id::text);
    ELSIF v_job.state = 'succeeded' THEN
        RAISE EXCEPTION 'retry: job % has succeeded', retry.id USING ERRCODE = '55000', HINT = 'Enqueue it again instead.';
    ELSIF v_job.state IN ('dead', 'cancelled') THEN
        PERFORM revive(ARRAY[retry.id], 'retry', session_user);
    ELSIF v_job.state IN ('scheduled', 'failed') THEN
        WITH was AS (
            SELECT j.id, j.state FROM job j WHERE j.id = retry.id AND j.state IN ('scheduled', 'failed') FOR NO KEY UPDATE
        ), up AS (
            UPDATE job j SET state = 'ready', run_at = clock_timestamp(), changed_at = clock_timestamp(),
                changed_by = session_user, reason = 'retried by hand'
            FROM was WHERE j.id = was.id RETURNING j.queue, j.concurrency_key, j.priority, j.solo, was.state AS was
        ), laned AS (
            INSERT INTO lane_inbox SELECT queue, concurrency_key, priority FROM up WHERE concurrency_key IS NOT NULL AND NOT solo
        )
        INSERT INTO counter_delta (queue, scheduled, ready, failed)
        SELECT queue, -(was = 'scheduled')::int, 1, -(was = 'failed')::int FROM up;
    END IF;
    RETURN coalesce((SELECT j.state::text FROM job j WHERE j.id = retry.id), history_state(retry.id)::text);
END $$;
COMMENT ON FUNCTION {{schema}}.retry IS 'Runs a dead or cancelled job again with fresh attempts, or one that waits at once; returns its state now.';

CREATE FUNCTION {{schema}}.own_workflow(p_where text, p_id uuid, p_change boolean) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_creator name;
BEGIN
    SELECT created_by INTO v_creator FROM workflow WHERE id = p_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%: workflow % does not exist', p_where, coalesce(p_id::text, 'NULL') USING ERRCODE = 'KL002',
            HINT = 'Give the id that enqueue_workflow returned under "workflow".';
    ELSIF NOT (p_change AND may_change(v_creator) OR NOT p_change AND may_read(v_creator)) THEN
        PERFORM refuse_stranger('workflow', p_id::text);
    END IF;
END $$;

CREATE FUNCTION {{schema}}.cancel_workflow(id uuid, reason text DEFAULT NULL) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    PERFORM own_workflow('cancel_workflow', id, true);
    RETURN cancel_members(ARRAY[id], coalesce(reason, 'its workflow was cancelled'), session_user);
END $$;
COMMENT ON FUNCTION {{schema}}.cancel_workflow IS 'Cancels every unfinished job of a workflow; returns how many were cancelled or told to stop.';

CREATE FUNCTION {{schema}}.retry_workflow(id uuid) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM own_workflow('retry_workflow', retry_workflow.id, true);
    RETURN revive((SELECT array_agg(h.id) FROM job_history h WHERE h.workflow = retry_workflow.id
        AND h.outcome IN ('dead', 'cancelled')), 'retry_workflow', session_user);
END $$;
COMMENT ON FUNCTION {{schema}}.retry_workflow IS 'Runs the dead and cancelled jobs of a workflow again; what succeeded keeps its result. Returns how many.';

CREATE FUNCTION {{schema}}.workflow(id uuid) RETURNS jsonb LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM workflow w WHERE w.id = workflow.id) THEN
        RETURN NULL;
    END IF;
    PERFORM own_workflow('workflow', workflow.id, false);
    RETURN (SELECT to_jsonb(p) FROM pipeline_runs p WHERE p.workflow = workflow.id);
END $$;
COMMENT ON FUNCTION {{schema}}.workflow IS 'The status and counts of a workflow as JSON, or NULL if there is none of that id.';

CREATE FUNCTION {{schema}}.workflow_nodes(id uuid) RETURNS TABLE (node text, job uuid, kind text, queue text, state text, attempt integer,
    max_attempts integer, run_at timestamptz, started_at timestamptz, finished_at timestamptz, seconds double precision, progress real,
    reason text, error text, after text[]) LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM own_workflow('workflow_nodes', workflow_nodes.id, false);
    RETURN QUERY WITH members AS MATERIALIZED (
        SELECT j.id, j.node, j.kind, j.queue, j.state, j.attempt, j.max_attempts, j.run_at, j.started_at, NULL::timestamptz AS finished_at,
            NULL::double precision AS seconds, j.reason, j.errors, NULL::uuid[] AS parents
        FROM job j WHERE j.workflow = workflow_nodes.id
        UNION ALL
        SELECT h.id, h.node, h.kind, h.queue, h.outcome, h.attempt, h.max_attempts, h.run_at, h.claimed_at, h.finished_at, h.seconds,
            h.reason, h.errors, coalesce(h.parents, '{}')
        FROM job_history h WHERE h.workflow = workflow_nodes.id
    ), edges AS (
        SELECT m.id, e.parent FROM members m JOIN job_edge e ON e.child = m.id WHERE m.parents IS NULL
        UNION ALL SELECT m.id, p FROM members m, unnest(m.parents) p
    ), named AS (
        SELECT e.id, array_agg(coalesce(p.node, e.parent::text) ORDER BY e.parent) AS after
        FROM edges e LEFT JOIN members p ON p.id = e.parent GROUP BY e.id
    )
    SELECT m.node::text, m.id, m.kind::text, m.queue::text, m.state::text, m.attempt, m.max_attempts, m.run_at, m.started_at, m.finished_at,
        m.seconds, (SELECT p.fraction FROM job_progress p WHERE p.job = m.id), m.reason, m.errors #>> '{-1,error,message}',
        coalesce(n.after, '{}')
    FROM members m LEFT JOIN named n ON n.id = m.id ORDER BY m.id;
END $$;
COMMENT ON FUNCTION {{schema}}.workflow_nodes IS 'The jobs of a workflow, parents before children, each with its state and what it comes after (names, and ids of jobs that have none in the workflow).';

-- Dead letters.
CREATE FUNCTION {{schema}}.retry_dead(kind text DEFAULT NULL, "limit" integer DEFAULT 10000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN revive((SELECT array_agg(d.id) FROM (
        SELECT h.id, h.created_by FROM job_history h WHERE h.outcome = 'dead' AND (retry_dead.kind IS NULL OR h.kind = retry_dead.kind)
        AND (h.created_by = session_user OR privileged('{worker}')) ORDER BY h.finished_at LIMIT retry_dead."limit") d),
        'retry_dead', session_user);
END $$;
COMMENT ON FUNCTION {{schema}}.retry_dead IS 'Runs dead jobs again, oldest first: all that the caller may change, or those of one kind. Returns how many.';

CREATE FUNCTION {{schema}}.purge_dead(kind text DEFAULT NULL, before timestamptz DEFAULT NULL) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_n integer;
    v_all boolean := privileged('{worker}');
BEGIN
    WITH gone AS (
        DELETE FROM job_history h WHERE h.outcome = 'dead' AND (purge_dead.kind IS NULL OR h.kind = purge_dead.kind)
        AND (purge_dead.before IS NULL OR h.finished_at < purge_dead.before) AND (v_all OR h.created_by = session_user)
        AND NOT EXISTS (SELECT FROM job_edge e WHERE e.parent = h.id) RETURNING h.id, h.queue
    ), progress AS (
        DELETE FROM job_progress p USING gone WHERE p.job = gone.id
    ), steps AS (
        DELETE FROM step s USING gone WHERE s.job = gone.id
    ), counted AS (
        INSERT INTO counter_delta (queue, dead) SELECT queue, -count(*) FROM gone GROUP BY queue
    )
    SELECT count(*) INTO v_n FROM gone;
    RETURN v_n;
END $$;
COMMENT ON FUNCTION {{schema}}.purge_dead IS 'Deletes dead jobs, but for those whose children still need them. Returns how many.';

CREATE FUNCTION {{schema}}.dead(kind text DEFAULT NULL, "limit" integer DEFAULT 100) RETURNS SETOF jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT job(d.id) FROM (
        SELECT h.id FROM job_history h WHERE h.outcome = 'dead' AND (dead.kind IS NULL OR h.kind = dead.kind)
        AND (h.created_by = session_user OR privileged('{reader,worker}')) ORDER BY h.finished_at DESC LIMIT dead."limit") d;
END $$;
COMMENT ON FUNCTION {{schema}}.dead IS 'Dead jobs that the caller may read, newest first, as JSON.';
