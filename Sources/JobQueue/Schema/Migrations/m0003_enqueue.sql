-- Enqueueing: one job, many, or a workflow.

-- Raises for the first argument that is not acceptable.
CREATE FUNCTION {{schema}}.check_request(r {{schema}}.job_request, p_where text) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    IF coalesce(r.kind, '') = '' OR octet_length(r.kind) > 200 THEN
        PERFORM invalid(p_where, 'kind', r.kind, 'a kind has 1 to 200 bytes', 'Give the kind that a worker has registered, such as ''media.transcode''.');
    ELSIF r.queue = '' OR octet_length(r.queue) > 200 THEN
        PERFORM invalid(p_where, 'queue', r.queue, 'a queue''s name has 1 to 200 bytes', 'Leave it out for the queue of the kind.');
    ELSIF NOT isfinite(r.run_at) THEN
        PERFORM invalid(p_where, 'run_at', r.run_at::text, 'it must be a moment', 'Leave it out to run as soon as possible.');
    ELSIF r.max_attempts NOT BETWEEN 1 AND 10000 THEN
        PERFORM invalid(p_where, 'max_attempts', r.max_attempts::text, 'it must be 1 to 10000', 'Use 1 for a job that is never tried again.');
    ELSIF r.timeout <= interval '0' THEN
        PERFORM invalid(p_where, 'timeout', r.timeout::text, 'it must be longer than nothing', 'Leave it out for the default of the kind.');
    ELSIF octet_length(r.unique_key) NOT BETWEEN 1 AND 1000 THEN
        PERFORM invalid(p_where, 'unique_key', r.unique_key, 'a key has 1 to 1000 bytes', 'Use a hash of what is longer.');
    ELSIF r.unique_scope NOT IN ('waiting', 'unfinished', 'period') THEN
        PERFORM invalid(p_where, 'unique_scope', r.unique_scope, 'there is no such scope', suggest(r.unique_scope, '{waiting,unfinished,period}'));
    ELSIF r.unique_key IS NULL AND (r.unique_scope IS NOT NULL OR r.unique_period IS NOT NULL OR r.on_duplicate IS NOT NULL) THEN
        PERFORM invalid(p_where, 'unique_key', NULL, 'unique_scope, unique_period and on_duplicate need one', 'Give unique_key as well.');
    ELSIF r.unique_scope = 'period' AND r.unique_period IS NULL THEN
        PERFORM invalid(p_where, 'unique_period', NULL, 'unique_scope ''period'' needs one', 'Give unique_period => interval ''1 hour'', say.');
    ELSIF coalesce(r.unique_scope, 'period') <> 'period' AND r.unique_period IS NOT NULL THEN
        PERFORM invalid(p_where, 'unique_scope', r.unique_scope, 'unique_period goes with the scope ''period'' only', 'Leave out one of the two.');
    ELSIF r.unique_period <= interval '0' THEN
        PERFORM invalid(p_where, 'unique_period', r.unique_period::text, 'it must be longer than nothing', NULL);
    ELSIF r.on_duplicate NOT IN ('keep', 'replace') THEN
        PERFORM invalid(p_where, 'on_duplicate', r.on_duplicate, 'there is no such choice', suggest(r.on_duplicate, '{keep,replace}'));
    ELSIF octet_length(r.concurrency_key) NOT BETWEEN 1 AND 1000 THEN
        PERFORM invalid(p_where, 'concurrency_key', r.concurrency_key, 'a key has 1 to 1000 bytes', 'Use a hash of what is longer.');
    ELSIF r.on_parent_failure NOT IN ('cancel', 'run', 'fail_workflow') THEN
        PERFORM invalid(p_where, 'on_parent_failure', r.on_parent_failure, 'there is no such policy', suggest(r.on_parent_failure, '{cancel,run,fail_workflow}'));
    ELSIF array_position(r.depends_on, NULL) IS NOT NULL THEN
        PERFORM invalid(p_where, 'depends_on', r.depends_on::text, 'it holds a NULL', 'Give ids of jobs only.');
    ELSIF NOT (r.cores > 0 AND r.cores <= 100000) THEN
        PERFORM invalid(p_where, 'cores', r.cores::text, 'it must be more than 0 and at most 100000', 'A fraction such as 0.5 is fine.');
    ELSIF r.memory < 0 THEN
        PERFORM invalid(p_where, 'memory', r.memory::text, 'it must be a number of bytes', NULL);
    END IF;
END $$;

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

-- Reads an array of JSON objects as job requests; errors name the job and the key.
CREATE FUNCTION {{schema}}.read_requests(p_jobs jsonb, p_known text[], p_where text, p_label text)
    RETURNS {{schema}}.job_request[] LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_requests job_request[];
    v_item record;
    v_key record;
    v_why text;
BEGIN
    IF p_jobs IS NULL OR jsonb_typeof(p_jobs) <> 'array' THEN
        PERFORM invalid(p_where, p_label, p_jobs::text, 'it must be a JSON array of objects', 'Give [{"kind": "…", "payload": {…}}, …].');
    END IF;
    FOR v_item IN SELECT e, i FROM jsonb_array_elements(p_jobs) WITH ORDINALITY AS a(e, i) WHERE jsonb_typeof(e) <> 'object' LIMIT 1 LOOP
        PERFORM invalid(p_where, p_label || ', job ' || v_item.i, v_item.e::text, 'it must be a JSON object', 'Give {"kind": "…", "payload": {…}}.');
    END LOOP;
    FOR v_item IN SELECT k, min(i) AS i FROM jsonb_array_elements(p_jobs) WITH ORDINALITY AS a(e, i), jsonb_object_keys(e) k
        GROUP BY k LOOP
        IF v_item.k <> ALL (p_known) THEN
            RAISE EXCEPTION '%, job %: there is no key "%"', p_where, v_item.i, left(v_item.k, 120)
                USING ERRCODE = '22023', HINT = suggest(left(v_item.k, 120), p_known);
        END IF;
    END LOOP;
    BEGIN
        SELECT array_agg(ROW(kind, payload, queue, priority, run_at, max_attempts, timeout, unique_key, unique_scope,
            unique_period, on_duplicate, concurrency_key, depends_on, on_parent_failure, workflow, cores, memory, metadata,
            node)::job_request ORDER BY i) INTO v_requests
        FROM ROWS FROM (jsonb_to_recordset(p_jobs) AS (kind text, payload jsonb, queue text, priority integer,
            run_at timestamptz, max_attempts integer, timeout interval, unique_key text, unique_scope text,
            unique_period interval, on_duplicate text, concurrency_key text, depends_on uuid[], on_parent_failure text,
            workflow uuid, cores real, memory bigint, metadata jsonb, node text)) WITH ORDINALITY AS r(kind, payload, queue, priority, run_at, max_attempts, timeout, unique_key, unique_scope,
            unique_period, on_duplicate, concurrency_key, depends_on, on_parent_failure, workflow, cores, memory, metadata,
            node, i);
    EXCEPTION WHEN data_exception OR invalid_text_representation THEN
        FOR v_item IN SELECT e, i FROM jsonb_array_elements(p_jobs) WITH ORDINALITY AS a(e, i) LOOP
            FOR v_key IN SELECT k, v FROM jsonb_each(v_item.e) AS o(k, v) LOOP
                BEGIN
                    PERFORM jsonb_populate_record(NULL::job_request, jsonb_build_object(v_key.k, v_key.v))
                    WHERE v_key.k <> 'after';
                EXCEPTION WHEN data_exception OR invalid_text_representation THEN
                    GET STACKED DIAGNOSTICS v_why = MESSAGE_TEXT;
                    PERFORM invalid(p_where || ', job ' || v_item.i, v_key.k, v_key.v::text, v_why, NULL);
                END;
            END LOOP;
        END LOOP;
        RAISE;
    END;
    RETURN coalesce(v_requests, '{}');
END $$;

CREATE FUNCTION {{schema}}.request_keys() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT '{kind,payload,queue,priority,run_at,max_attempts,timeout,unique_key,unique_scope,unique_period,on_duplicate,concurrency_key,depends_on,on_parent_failure,workflow,cores,memory,metadata,node}'::text[]
$$;

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

CREATE FUNCTION {{schema}}.enqueue_workflow(workflow jsonb) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_nodes jsonb := enqueue_workflow.workflow -> 'nodes';
    v_flow uuid := uuid7(clock_us());
    v_requests job_request[];
    v_bad record;
    v_n integer;
    v_from integer[];
    v_to integer[];
    v_policies text[];
    v_first integer[];
    v_waiting integer[];
    v_order integer[] := '{}';
    v_rank integer[];
    v_ids uuid[];
    v_parents uuid[];
    v_children integer[];
    v_base bigint;
    v_names text[];
    v_path integer[];
    i integer;
    e integer;
BEGIN
    IF enqueue_workflow.workflow IS NULL OR jsonb_typeof(enqueue_workflow.workflow) <> 'object' THEN
        PERFORM invalid('enqueue_workflow', 'workflow', enqueue_workflow.workflow::text, 'it must be a JSON object',
            'Give {"name": "…", "nodes": [{"node": "a", "kind": "…"}, {"node": "b", "kind": "…", "after": ["a"]}]}.');
    END IF;
    SELECT k INTO v_bad FROM jsonb_object_keys(enqueue_workflow.workflow) k WHERE k NOT IN ('name', 'nodes', 'metadata') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'enqueue_workflow: there is no key "%"', left(v_bad.k, 120) USING ERRCODE = '22023',
            HINT = suggest(left(v_bad.k, 120), '{name,nodes,metadata}');
    END IF;
    v_requests := read_requests(v_nodes, array_remove(request_keys(), 'workflow') || '{after}'::text[], 'enqueue_workflow', 'nodes');
    v_n := cardinality(v_requests);
    IF v_n NOT BETWEEN 1 AND 10000 THEN
        PERFORM invalid('enqueue_workflow', 'nodes', v_n || ' nodes', 'a workflow has 1 to 10000', 'Let a job of the workflow spawn the others.');
    END IF;
    SELECT array_agg(node ORDER BY ordinality) INTO v_names FROM unnest(v_requests) WITH ORDINALITY r;
    SELECT r.node, count(*) AS n, min(ordinality) AS at INTO v_bad FROM unnest(v_requests) WITH ORDINALITY r
    GROUP BY r.node HAVING count(*) > 1 OR coalesce(r.node, '') = '' OR octet_length(r.node) > 200 LIMIT 1;
    IF FOUND THEN
        PERFORM invalid('enqueue_workflow, job ' || v_bad.at, 'node', v_bad.node,
            'each node has a name of 1 to 200 bytes of its own', 'Name the nodes; "after" refers to those names.');
    END IF;
    SELECT i, a INTO v_bad FROM (
        SELECT n.i, n.e -> 'after' AS a FROM jsonb_array_elements(v_nodes) WITH ORDINALITY n(e, i) WHERE n.e ? 'after') x
    WHERE jsonb_typeof(a) <> 'array' LIMIT 1;
    IF FOUND THEN
        PERFORM invalid('enqueue_workflow, job ' || v_bad.i, 'after', v_bad.a::text, 'it must be an array', 'Give ["a", {"node": "b", "on_failure": "run"}].');
    END IF;
    SELECT x.i, x.a INTO v_bad FROM (
        SELECT n.i, a FROM jsonb_array_elements(v_nodes) WITH ORDINALITY n(e, i), jsonb_array_elements(n.e -> 'after') a) x
    WHERE jsonb_typeof(a) NOT IN ('string', 'object') OR jsonb_typeof(a) = 'object' AND (
        jsonb_typeof(a -> 'node') IS DISTINCT FROM 'string' OR a - 'node' - 'on_failure' <> '{}'
        OR coalesce(a ->> 'on_failure', 'cancel') NOT IN ('cancel', 'run', 'fail_workflow')) LIMIT 1;
    IF FOUND THEN
        PERFORM invalid('enqueue_workflow, job ' || v_bad.i, 'after', v_bad.a::text,
            'a parent is the name of a node or {"node": …, "on_failure": …}', 'on_failure is cancel, run or fail_workflow.');
    END IF;
    WITH names AS (SELECT r.node, r.ordinality::integer AS i, r.on_parent_failure FROM unnest(v_requests) WITH ORDINALITY r),
    -- Materialized: joined to the names inside this loop, each node would cost a pass over all names.
    raw AS MATERIALIZED (
        SELECT n.i, coalesce(a ->> 'node', a #>> '{}') AS parent, CASE WHEN jsonb_typeof(a) = 'object' THEN a ->> 'on_failure' END AS policy
        FROM jsonb_array_elements(v_nodes) WITH ORDINALITY n(e, i), jsonb_array_elements(n.e -> 'after') a
    ), edges AS (
        SELECT c.i AS child, c.node, r.parent, coalesce(r.policy, c.on_parent_failure, 'cancel') AS policy
        FROM raw r JOIN names c ON c.i = r.i
    ), joined AS (
        SELECT x.child, x.node, x.parent, min(x.policy) AS policy, p.i AS parent_i
        FROM edges x LEFT JOIN names p ON p.node = x.parent GROUP BY 1, 2, 3, 5
    )
    SELECT array_agg(parent_i ORDER BY parent_i, child), array_agg(child ORDER BY parent_i, child),
        array_agg(policy ORDER BY parent_i, child)
    INTO v_from, v_to, v_policies FROM joined;
    IF array_position(v_from, NULL) IS NOT NULL THEN
        SELECT c.e ->> 'node' AS node, coalesce(a ->> 'node', a #>> '{}') AS parent INTO v_bad
        FROM jsonb_array_elements(v_nodes) c(e), jsonb_array_elements(c.e -> 'after') a
        WHERE coalesce(a ->> 'node', a #>> '{}') <> ALL (v_names) LIMIT 1;
        RAISE EXCEPTION 'enqueue_workflow, node "%": after names "%", which is not a node of this workflow', v_bad.node, v_bad.parent
            USING ERRCODE = 'KL002', HINT = suggest(v_bad.parent, v_names[1:30]);
    END IF;
    v_from := coalesce(v_from, '{}');
    v_to := coalesce(v_to, '{}');
    -- Kahn, A. B. (1962), Topological sorting of large networks. Edges are sorted by parent; v_first says where a parent's begin.
    v_waiting := array_fill(0, ARRAY[v_n]);
    v_first := array_fill(0, ARRAY[v_n]);
    FOR e IN REVERSE cardinality(v_to) .. 1 LOOP
        v_waiting[v_to[e]] := v_waiting[v_to[e]] + 1;
        v_first[v_from[e]] := e;
    END LOOP;
    v_rank := array_fill(0, ARRAY[v_n]);
    v_order := array_fill(0, ARRAY[v_n]);
    DECLARE
        v_head integer := 1;
        v_tail integer := 0;
    BEGIN
        FOR i IN 1 .. v_n LOOP
            IF v_waiting[i] = 0 THEN
                v_tail := v_tail + 1;
                v_order[v_tail] := i;
            END IF;
        END LOOP;
        WHILE v_head <= v_tail LOOP
            i := v_order[v_head];
            v_rank[i] := v_head;
            e := v_first[i];
            WHILE e > 0 AND e <= cardinality(v_to) AND v_from[e] = i LOOP
                v_waiting[v_to[e]] := v_waiting[v_to[e]] - 1;
                IF v_waiting[v_to[e]] = 0 THEN
                    v_tail := v_tail + 1;
                    v_order[v_tail] := v_to[e];
                END IF;
                e := e + 1;
            END LOOP;
            v_head := v_head + 1;
        END LOOP;
        IF v_tail < v_n THEN
            -- Walk backwards among the nodes that are left until one is met again.
            i := (SELECT min(x) FROM generate_series(1, v_n) x WHERE v_rank[x] = 0);
            v_path := ARRAY[i];
            LOOP
                i := (SELECT f FROM unnest(v_from, v_to) AS x(f, t) WHERE t = v_path[1] AND v_rank[f] = 0 LIMIT 1);
                v_path := i || v_path;
                EXIT WHEN i = ANY (v_path[2:]) OR cardinality(v_path) > 100;
            END LOOP;
            IF i = ANY (v_path[2:]) THEN
                v_path := v_path[1:array_position(v_path, i, 2)];
            END IF;
            RAISE EXCEPTION 'enqueue_workflow: the nodes form a cycle: %',
                (SELECT string_agg('"' || v_names[p] || '"', ' -> ' ORDER BY o) FROM unnest(v_path) WITH ORDINALITY x(p, o))
                USING ERRCODE = 'KL003', HINT = 'A job may not wait for itself: take one of these out of "after".';
        END IF;
    END;
    v_base := greatest(clock_us(), (SELECT max(after_us(p)) FROM unnest(v_requests) r, unnest(r.depends_on) p));
    SELECT array_agg(uuid7(v_base + v_rank[x]) ORDER BY x) INTO v_ids FROM generate_series(1, v_n) x;
    SELECT array_agg(c), array_agg(p), array_agg(y) INTO v_children, v_parents, v_policies FROM (
        SELECT t AS c, v_ids[f] AS p, y FROM unnest(v_from, v_to, v_policies) AS x(f, t, y)
        UNION ALL
        SELECT r.ordinality::integer, p, coalesce(r.on_parent_failure, 'cancel')
        FROM unnest(v_requests) WITH ORDINALITY r, unnest(r.depends_on) p) all_edges;
    INSERT INTO workflow (id, name, created_by, created_at, metadata)
    VALUES (v_flow, coalesce(enqueue_workflow.workflow ->> 'name', 'workflow'), session_user, clock_timestamp(),
        enqueue_workflow.workflow -> 'metadata');
    SELECT array_agg(ROW(kind, payload, queue, priority, run_at, max_attempts, timeout, unique_key, unique_scope,
        unique_period, on_duplicate, concurrency_key, depends_on, on_parent_failure, v_flow,
        cores, memory, metadata, node)::job_request ORDER BY ordinality) INTO v_requests
    FROM unnest(v_requests) WITH ORDINALITY r;
    v_ids := insert_jobs(v_requests, v_ids, v_children, v_parents, v_policies, session_user, 'enqueue_workflow');
    RETURN jsonb_build_object('workflow', v_flow,
        'jobs', (SELECT jsonb_object_agg(n, i) FROM unnest(v_names, v_ids) x(n, i)));
END $$;
COMMENT ON FUNCTION {{schema}}.enqueue_workflow IS 'Enqueues a DAG of named nodes: {"name", "metadata", "nodes": [{"node", "after": ["name" or {"node", "on_failure"}], and the arguments of enqueue}]}; returns {"workflow": id, "jobs": {node: id}}.';
