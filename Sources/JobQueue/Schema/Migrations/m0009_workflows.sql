-- Enqueueing a workflow: a DAG of jobs in one call.

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
