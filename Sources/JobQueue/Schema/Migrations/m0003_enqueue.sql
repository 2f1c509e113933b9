-- Enqueueing one job or many.

-- Seconds until the next job comes due, of whatever queue; NULL if none waits for its time.
CREATE FUNCTION {{schema}}.next_due() RETURNS double precision LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN greatest(date_part('epoch', (SELECT j.run_at FROM job j WHERE j.state IN ('scheduled', 'failed') ORDER BY j.run_at LIMIT 1)
        - clock_timestamp()), 0);
END $$;

-- Takes the unique key for a new job, or returns the job that has it.
CREATE FUNCTION {{schema}}.claim_unique(r {{schema}}.job_request, p_id uuid, p_creator name) RETURNS uuid LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_scope text := coalesce(r.unique_scope, CASE WHEN r.unique_period IS NULL THEN 'unfinished' ELSE 'period' END);
    v_until timestamptz := clock_timestamp() + r.unique_period;
    v_job uuid;
    v_creator name;
    v_now timestamptz := clock_timestamp();
BEGIN
    LOOP
        INSERT INTO unique_claim (kind, key, job, scope, until)
        VALUES (r.kind, r.unique_key, p_id, v_scope, v_until) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN p_id;
        END IF;
        -- Only a claim whose period is over is locked here: a live one may be needed by a worker.
        UPDATE unique_claim SET job = p_id, scope = v_scope, until = v_until
        WHERE kind = r.kind AND key = r.unique_key AND until <= clock_timestamp();
        IF FOUND THEN
            RETURN p_id;
        END IF;
        SELECT job INTO v_job FROM unique_claim WHERE kind = r.kind AND key = r.unique_key;
        EXIT WHEN FOUND;
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'unique_key "%" is held by a transaction this one cannot see', r.unique_key
                USING ERRCODE = '40001', HINT = 'Run the transaction again.';
        END IF;
    END LOOP;
    IF r.on_duplicate = 'replace' THEN
        SELECT created_by INTO v_creator FROM job WHERE id = v_job;
        IF FOUND AND v_creator <> p_creator AND NOT may_change(v_creator) THEN
            PERFORM refuse_stranger('the job with this unique_key,', v_job::text);
        END IF;
        WITH was AS (
            SELECT id, state, run_at FROM job WHERE id = v_job AND state IN ('blocked', 'scheduled', 'ready', 'failed') FOR NO KEY UPDATE
        ), up AS (
            UPDATE job j SET payload = coalesce(r.payload, '{}'), priority = coalesce(r.priority, j.priority),
                run_at = coalesce(r.run_at, v_now), metadata = coalesce(r.metadata, j.metadata),
                state = CASE WHEN j.state = 'blocked' THEN 'blocked'
                             WHEN coalesce(r.run_at, v_now) > v_now THEN 'scheduled' ELSE 'ready' END::job_state,
                changed_at = v_now, changed_by = session_user, reason = 'replaced by a job with the same unique_key'
            FROM was WHERE j.id = was.id RETURNING j.queue, j.concurrency_key, j.priority, j.solo, j.state, was.state AS was,
                -- Later than before needs no word: whoever sleeps looks again at the old time.
                j.state = 'scheduled' AND j.run_at <= v_now + interval '5 seconds'
                    AND (was.state NOT IN ('scheduled', 'failed') OR j.run_at < was.run_at) AS is_near
        ), counted AS (
            INSERT INTO counter_delta (queue, scheduled, ready, failed, wake)
            SELECT queue, (state = 'scheduled')::int - (was = 'scheduled')::int - is_near::int,
                (state = 'ready')::int - (was = 'ready')::int, -(was = 'failed')::int, false FROM up WHERE state <> was OR is_near
            UNION ALL SELECT queue, 1, 0, 0, true FROM up WHERE is_near
        )
        INSERT INTO lane_inbox SELECT queue, concurrency_key, priority FROM up
        WHERE state = 'ready' AND concurrency_key IS NOT NULL AND NOT solo;
    END IF;
    RETURN v_job;
END $$;

-- Inserts jobs; the edges come apart as (index of the child, parent, policy). Returns ids in the order of the requests.
CREATE FUNCTION {{schema}}.insert_jobs(p_requests {{schema}}.job_request[], p_ids uuid[], p_children integer[],
        p_parents uuid[], p_policies text[], p_creator name, p_where text) RETURNS uuid[] LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_ids uuid[] := p_ids;
    v_now timestamptz := clock_timestamp();
    v_base bigint := clock_us();
    v_bad record;
    v_suspect integer;
    v_unique boolean;
    v_flows uuid[];
    v_edges boolean := coalesce(cardinality(p_parents), 0) > 0;
    v_kept boolean[] := array_fill(true, ARRAY[cardinality(p_requests)]);
    v_job uuid;
BEGIN
    SELECT bool_or(r.unique_key IS NOT NULL), array_agg(DISTINCT r.workflow) FILTER (WHERE r.workflow IS NOT NULL),
        min(r.ordinality) FILTER (WHERE (coalesce(r.kind, '') <> '' AND octet_length(r.kind) <= 200
            AND (r.queue IS NULL OR octet_length(r.queue) BETWEEN 1 AND 200) AND (r.run_at IS NULL OR isfinite(r.run_at))
            AND (r.max_attempts IS NULL OR r.max_attempts BETWEEN 1 AND 10000)
            AND (r.timeout IS NULL OR r.timeout > interval '0') AND (r.cores IS NULL OR r.cores > 0 AND r.cores <= 100000)
            AND (r.memory IS NULL OR r.memory >= 0)
            AND (r.concurrency_key IS NULL OR octet_length(r.concurrency_key) BETWEEN 1 AND 1000)
            AND r.unique_key IS NULL AND r.unique_scope IS NULL AND r.unique_period IS NULL AND r.on_duplicate IS NULL
            AND r.on_parent_failure IS NULL AND r.depends_on IS NULL) IS NOT TRUE)
    INTO v_unique, v_flows, v_suspect FROM unnest(p_requests) WITH ORDINALITY r;
    IF v_suspect IS NOT NULL THEN
        FOR i IN v_suspect .. cardinality(p_requests) LOOP
            PERFORM check_request(p_requests[i], CASE WHEN cardinality(p_requests) = 1 AND p_where = 'enqueue' THEN p_where
                ELSE p_where || ', ' || coalesce('node "' || p_requests[i].node || '"', 'job ' || i) END);
        END LOOP;
    END IF;
    IF v_flows IS NOT NULL THEN
        SELECT f.id, w.id AS known, w.created_by, w.cancel_requested_at, w.finished_at INTO v_bad
        FROM unnest(v_flows) f(id) LEFT JOIN workflow w ON w.id = f.id
        WHERE w.id IS NULL OR w.cancel_requested_at IS NOT NULL OR w.finished_at IS NOT NULL
            OR w.created_by <> p_creator AND NOT may_change(w.created_by) LIMIT 1;
        IF FOUND THEN
            IF v_bad.known IS NULL THEN
                RAISE EXCEPTION '%: workflow % does not exist', p_where, v_bad.id USING ERRCODE = 'KL002',
                    HINT = 'Make one with enqueue_workflow, which returns its id.';
            ELSIF v_bad.created_by <> p_creator AND NOT may_change(v_bad.created_by) THEN
                PERFORM refuse_stranger('workflow', v_bad.id::text);
            END IF;
            RAISE EXCEPTION '%: workflow % is %', p_where, v_bad.id,
                CASE WHEN v_bad.finished_at IS NULL THEN 'being cancelled' ELSE 'finished' END
                USING ERRCODE = 'KL005', HINT = 'Start another workflow, or retry this one with retry_workflow.';
        END IF;
    END IF;
    IF v_ids IS NULL THEN
        -- A child's id is greater than its parents', which is the order in which finishing jobs lock rows.
        IF v_edges THEN
            v_base := greatest(v_base, (SELECT max(after_us(p)) FROM unnest(p_parents) p));
        END IF;
        SELECT array_agg(uuid7(v_base + i) ORDER BY i) INTO v_ids FROM generate_series(1, cardinality(p_requests)) i;
    END IF;
    IF v_unique THEN
        -- In one order, so that two batches with the same keys wait for each other once.
        FOR v_bad IN SELECT ordinality::integer AS i FROM unnest(p_requests) WITH ORDINALITY r
            WHERE r.unique_key IS NOT NULL ORDER BY r.kind COLLATE "C", r.unique_key COLLATE "C", ordinality
        LOOP
            v_job := claim_unique(p_requests[v_bad.i], v_ids[v_bad.i], p_creator);
            IF v_job <> v_ids[v_bad.i] THEN
                v_ids[v_bad.i] := v_job;
                v_kept[v_bad.i] := false;
            END IF;
        END LOOP;
    END IF;
    IF v_edges THEN
        WITH e AS (
            SELECT v_ids[c] AS child, p AS parent, min(policy) AS policy
            FROM unnest(p_children, p_parents, p_policies) u(c, p, policy) WHERE v_kept[c] GROUP BY 1, 2
        ), known AS (
            SELECT e.*, i.id IS NOT NULL AS inside, j.state, j.created_by
            FROM e LEFT JOIN unnest(v_ids) i(id) ON i.id = e.parent LEFT JOIN job j ON j.id = e.parent
        ), found AS (
            SELECT k.child, k.parent, k.policy, k.inside, coalesce(k.state, h.outcome) AS state,
                coalesce(k.created_by, h.created_by) AS created_by
            FROM known k LEFT JOIN LATERAL (
                SELECT outcome, created_by FROM job_history h
                WHERE h.id = k.parent AND NOT k.inside AND k.state IS NULL LIMIT 1) h ON true
        ), made AS (
            INSERT INTO job_edge (parent, child, on_failure, done, outside)
            SELECT parent, child, coalesce(policy, 'cancel')::parent_failure,
                NOT inside AND (state = 'succeeded' OR state IN ('dead', 'cancelled') AND coalesce(policy, 'cancel') = 'run'), NOT inside
            FROM found WHERE inside OR state IS NOT NULL ORDER BY parent, child
        )
        SELECT parent, state, created_by INTO v_bad FROM found
        WHERE NOT inside AND (state IS NULL OR created_by <> p_creator AND NOT may_change(created_by)) LIMIT 1;
        IF FOUND THEN
            IF v_bad.state IS NULL THEN
                RAISE EXCEPTION '%: depends_on names job %, which does not exist', p_where, v_bad.parent
                    USING ERRCODE = 'KL002', HINT = 'It was never enqueued, its transaction has not committed, or it finished longer ago than the retention.';
            END IF;
            PERFORM refuse_stranger('job', v_bad.parent::text);
        END IF;
    END IF;
    WITH fresh AS (
        INSERT INTO job (id, kind, queue, state, priority, run_at, payload, max_attempts, timeout, cores, memory,
            concurrency_key, unique_key, unique_scope, workflow, node, pending, has_parents, has_children, created_at,
            created_by, changed_at, changed_by, reason, metadata)
        SELECT r.id, r.kind, coalesce(r.queue, k.queue, r.kind),
            CASE WHEN r.pending > 0 THEN 'blocked' WHEN r.run_at > v_now THEN 'scheduled' ELSE 'ready' END::job_state,
            coalesce(r.priority, 0), coalesce(r.run_at, v_now), coalesce(r.payload, '{}'),
            coalesce(r.max_attempts, k.max_attempts, 3), coalesce(r.timeout, k.timeout), coalesce(r.cores, k.cores, 1),
            coalesce(r.memory, k.memory, 0), r.concurrency_key, r.unique_key,
            CASE WHEN r.unique_key IS NOT NULL THEN coalesce(r.unique_scope,
                CASE WHEN r.unique_period IS NULL THEN 'unfinished' ELSE 'period' END) END,
            r.workflow, r.node, r.pending, v_edges AND EXISTS (SELECT FROM job_edge e WHERE e.child = r.id),
            v_edges AND EXISTS (SELECT FROM job_edge e WHERE e.parent = r.id), v_now, p_creator, v_now, session_user,
            'enqueued', r.metadata
        FROM (SELECT q.*, v_ids[q.ordinality] AS id,
                CASE WHEN v_edges THEN (SELECT count(*) FROM job_edge e WHERE e.child = v_ids[q.ordinality] AND NOT e.done)
                     ELSE 0 END AS pending
              FROM unnest(p_requests) WITH ORDINALITY q WHERE v_kept[q.ordinality] OFFSET 0) r
        LEFT JOIN kind k ON k.name = r.kind
        RETURNING queue, state, concurrency_key, priority, workflow, run_at
    ), laned AS (
        INSERT INTO lane_inbox SELECT queue, concurrency_key, max(priority) FROM fresh
        WHERE state = 'ready' AND concurrency_key IS NOT NULL GROUP BY 1, 2
    ), flows AS (
        INSERT INTO workflow_delta (workflow, total)
        SELECT workflow, count(*) FROM fresh WHERE workflow IS NOT NULL GROUP BY 1
    )
    -- Workers that sleep learn of what is due soon from this call, of what is due later in time from maintain().
    INSERT INTO counter_delta (queue, blocked, scheduled, ready, wake)
    SELECT queue, count(*) FILTER (WHERE state = 'blocked'), count(*) FILTER (WHERE state = 'scheduled'),
        count(*) FILTER (WHERE state = 'ready'), is_near
    FROM (SELECT queue, state, state = 'scheduled' AND run_at <= v_now + interval '5 seconds' AS is_near FROM fresh) f
    GROUP BY queue, is_near;
    RETURN v_ids;
END $$;

CREATE FUNCTION {{schema}}.enqueue(
    kind text, payload jsonb DEFAULT '{}', queue text DEFAULT NULL, priority integer DEFAULT NULL,
    run_at timestamptz DEFAULT NULL, max_attempts integer DEFAULT NULL, timeout interval DEFAULT NULL,
    unique_key text DEFAULT NULL, unique_scope text DEFAULT NULL, unique_period interval DEFAULT NULL,
    on_duplicate text DEFAULT NULL, concurrency_key text DEFAULT NULL, depends_on uuid[] DEFAULT NULL,
    on_parent_failure text DEFAULT NULL, workflow uuid DEFAULT NULL, cores real DEFAULT NULL,
    memory bigint DEFAULT NULL, metadata jsonb DEFAULT NULL, node text DEFAULT NULL
) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    RETURN (insert_jobs(
        ARRAY[ROW(kind, payload, queue, priority, run_at, max_attempts, timeout, unique_key, unique_scope, unique_period,
            on_duplicate, concurrency_key, depends_on, on_parent_failure, workflow, cores, memory, metadata, node)::job_request],
        NULL, array_fill(1, ARRAY[coalesce(cardinality(depends_on), 0)]), depends_on,
        array_fill(on_parent_failure, ARRAY[coalesce(cardinality(depends_on), 0)]), session_user, 'enqueue'))[1];
END $$;
COMMENT ON FUNCTION {{schema}}.enqueue IS 'Enqueues one job and returns its id, or the id of the job that has the same unique_key.';

CREATE FUNCTION {{schema}}.enqueue_as(p_jobs jsonb, p_creator name, p_workflow uuid, p_where text) RETURNS uuid[]
    LANGUAGE plpgsql SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_requests job_request[] := read_requests(p_jobs, request_keys(), p_where, 'jobs');
    v_children integer[];
    v_parents uuid[];
    v_policies text[];
BEGIN
    IF v_requests = '{}' THEN
        RETURN '{}';
    END IF;
    IF p_workflow IS NOT NULL THEN
        SELECT array_agg(ROW(kind, payload, queue, priority, run_at, max_attempts, timeout, unique_key, unique_scope,
            unique_period, on_duplicate, concurrency_key, depends_on, on_parent_failure, coalesce(workflow, p_workflow),
            cores, memory, metadata, node)::job_request ORDER BY ordinality) INTO v_requests
        FROM unnest(v_requests) WITH ORDINALITY r;
    END IF;
    SELECT array_agg(r.ordinality), array_agg(p), array_agg(r.on_parent_failure) INTO v_children, v_parents, v_policies
    FROM unnest(v_requests) WITH ORDINALITY r, unnest(r.depends_on) p;
    RETURN insert_jobs(v_requests, NULL, v_children, v_parents, v_policies, p_creator, p_where);
END $$;

CREATE FUNCTION {{schema}}.enqueue_many(jobs jsonb) RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT unnest(enqueue_as(jobs, session_user, NULL, 'enqueue_many'));
END $$;
COMMENT ON FUNCTION {{schema}}.enqueue_many IS 'Enqueues an array of jobs, whose keys are the arguments of enqueue; returns their ids in order.';
