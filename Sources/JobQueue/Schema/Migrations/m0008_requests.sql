-- What producers ask for: reading it and refusing what makes no sense.

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

CREATE FUNCTION {{schema}}.request_keys() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT '{kind,payload,queue,priority,run_at,max_attempts,timeout,unique_key,unique_scope,unique_period,on_duplicate,concurrency_key,depends_on,on_parent_failure,workflow,cores,memory,metadata,node}'::text[]
$$;

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
