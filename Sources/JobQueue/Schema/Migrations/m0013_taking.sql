-- The parts of a claim: jobs without a key, jobs of the keys whose turn it is, and what of them fits into the worker.

-- Marks locked jobs as running.
CREATE FUNCTION {{schema}}.begin_jobs(p_ids uuid[], p_held uuid, p_alone boolean, p_worker uuid, p_name text, p_now timestamptz)
    RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    WITH up AS (
        UPDATE job SET state = 'running', worker = p_worker, lease_token = nextval('lease_token_seq'), claimed_at = p_now,
            started_at = NULL, attempt = attempt + 1, alone = p_alone, held = (id IS NOT DISTINCT FROM p_held),
            changed_at = p_now, changed_by = p_name, reason = 'claimed'
        WHERE id = ANY (p_ids) RETURNING queue
    )
    INSERT INTO counter_delta (queue, ready, running) SELECT queue, -count(*), count(*) FROM up GROUP BY queue;
END $$;

-- Of jobs that were locked but did not fit together: takes those that fit one by one, in order; one that has waited
-- longer than the worker's patience is taken as held, and nothing after it.
CREATE FUNCTION {{schema}}.weigh(p_ids uuid[], p_cores double precision, p_memory bigint, p_total_cores double precision,
        p_patient_since timestamptz, OUT o_ids uuid[], OUT o_held uuid, OUT o_passed uuid[], OUT o_cores double precision,
        OUT o_memory bigint) LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_job record;
BEGIN
    o_ids := '{}';
    o_passed := '{}';
    o_cores := 0;
    o_memory := 0;
    FOR v_job IN SELECT j.id, least(j.cores, p_total_cores) AS cores, j.memory, j.changed_at
        FROM unnest(p_ids) WITH ORDINALITY i(id, n) JOIN job j ON j.id = i.id ORDER BY i.n
    LOOP
        IF o_cores + v_job.cores <= p_cores + 1e-6 AND o_memory + v_job.memory <= p_memory THEN
            o_ids := o_ids || v_job.id;
            o_cores := o_cores + v_job.cores;
            o_memory := o_memory + v_job.memory;
        ELSIF v_job.changed_at < p_patient_since THEN
            o_ids := o_ids || v_job.id;
            o_held := v_job.id;
            RETURN;
        ELSE
            o_passed := o_passed || v_job.id;
        END IF;
    END LOOP;
END $$;

-- Takes up to p_n jobs without a key, of priority p_floor and more. The usual case is the first statement alone.
CREATE FUNCTION {{schema}}.take_plain(p_worker uuid, p_name text, p_now timestamptz, p_queue text, p_floor integer, p_n integer,
        p_cores double precision, p_memory bigint, p_total_cores double precision, p_total_memory bigint,
        p_patient_since timestamptz, p_passed uuid[], OUT o_ids uuid[], OUT o_held uuid, OUT o_passed uuid[],
        OUT o_seen integer, OUT o_cores double precision, OUT o_memory bigint) LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    v_left uuid[];
    v_more record;
BEGIN
    WITH picked AS MATERIALIZED (
        SELECT id, least(cores, p_total_cores) AS cores, memory FROM job
        WHERE queue = p_queue AND state = 'ready' AND concurrency_key IS NULL AND NOT solo AND priority >= p_floor
            AND memory <= p_total_memory AND (p_passed IS NULL OR id <> ALL (p_passed))
        ORDER BY queue, priority DESC, run_at, id LIMIT p_n FOR UPDATE SKIP LOCKED
    ), weighed AS MATERIALIZED (
        SELECT id, cores, memory, row_number() OVER w AS n, sum(cores) OVER w <= p_cores + 1e-6 AND sum(memory) OVER w <= p_memory AS fits
        FROM picked WINDOW w AS (ROWS UNBOUNDED PRECEDING)
    ), up AS (
        UPDATE job j SET state = 'running', worker = p_worker, lease_token = nextval('lease_token_seq'), claimed_at = p_now,
            started_at = NULL, attempt = j.attempt + 1, alone = false, held = false, changed_at = p_now, changed_by = p_name,
            reason = 'claimed'
        FROM weighed w WHERE j.id = w.id AND w.fits RETURNING 1
    ), counted AS (
        INSERT INTO counter_delta (queue, ready, running) SELECT p_queue, -count(*), count(*) FROM up HAVING count(*) > 0
    )
    SELECT coalesce(array_agg(id) FILTER (WHERE fits), '{}'), array_agg(id ORDER BY n) FILTER (WHERE NOT fits), count(*),
        coalesce(sum(cores) FILTER (WHERE fits), 0), coalesce(sum(memory) FILTER (WHERE fits), 0)
    INTO o_ids, v_left, o_seen, o_cores, o_memory FROM weighed;
    IF v_left IS NOT NULL THEN
        v_more := weigh(v_left, p_cores - o_cores, p_memory - o_memory, p_total_cores, p_patient_since);
        IF v_more.o_ids <> '{}' THEN
            PERFORM begin_jobs(v_more.o_ids, v_more.o_held, false, p_worker, p_name, p_now);
        END IF;
        o_ids := o_ids || v_more.o_ids;
        o_held := v_more.o_held;
        o_passed := v_more.o_passed;
        o_cores := o_cores + v_more.o_cores;
        o_memory := o_memory + v_more.o_memory;
    END IF;
END $$;

-- Takes up to p_n jobs of priority p_priority and more from the open lanes whose head has that priority, the lane that
-- was served longest ago first, evenly. A lane's lock excludes other claims; a lane that is locked is passed over. So that
-- a large claim leaves lanes to others, it takes several jobs of each of sixteen rather than one of each of a hundred.
CREATE FUNCTION {{schema}}.take_keyed(p_worker uuid, p_name text, p_now timestamptz, p_queue text, p_most integer, p_priority integer,
        p_n integer, p_cores double precision, p_memory bigint, p_total_cores double precision, p_total_memory bigint,
        p_patient_since timestamptz, p_passed uuid[], OUT o_ids uuid[], OUT o_held uuid, OUT o_passed uuid[],
        OUT o_seen integer, OUT o_cores double precision, OUT o_memory bigint) LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    v_keys text[];
    v_running integer[];
    v_share integer;
    v_left uuid[];
    v_ids uuid[];
    v_served text[];
    v_more record;
    v_ended integer;
BEGIN
    SELECT array_agg(key ORDER BY turn), array_agg(running ORDER BY turn) INTO v_keys, v_running FROM (
        SELECT key, running, turn FROM lane WHERE queue = p_queue AND open AND priority = p_priority
        ORDER BY queue, priority DESC, turn LIMIT least(p_n, greatest(16, p_n / 8)) FOR NO KEY UPDATE SKIP LOCKED) l;
    o_ids := '{}';
    o_seen := 0;
    o_cores := 0;
    o_memory := 0;
    IF v_keys IS NULL THEN
        RETURN;
    END IF;
    v_share := (p_n + cardinality(v_keys) - 1) / cardinality(v_keys);
    WITH found AS MATERIALIZED (
        SELECT j.id, l.key, least(j.cores, p_total_cores) AS cores, j.memory, row_number() OVER (ORDER BY j.n, l.i) AS n
        FROM unnest(v_keys, v_running) WITH ORDINALITY l(key, running, i)
        CROSS JOIN LATERAL (SELECT x.*, row_number() OVER () AS n FROM (
            SELECT id, cores, memory FROM job WHERE queue = p_queue AND state = 'ready' AND concurrency_key = l.key AND NOT solo
                AND concurrency_key IS NOT NULL AND priority >= p_priority AND memory <= p_total_memory
                AND (p_passed IS NULL OR id <> ALL (p_passed))
            ORDER BY queue, concurrency_key, priority DESC, run_at, id
            LIMIT CASE WHEN p_most IS NULL THEN v_share ELSE least(v_share, greatest(p_most - l.running, 0)) END FOR UPDATE SKIP LOCKED) x) j
    ), weighed AS MATERIALIZED (
        SELECT id, key, cores, memory, n, sum(cores) OVER w <= p_cores + 1e-6 AND sum(memory) OVER w <= p_memory AS fits
        FROM found WHERE n <= p_n WINDOW w AS (ORDER BY n ROWS UNBOUNDED PRECEDING)
    ), up AS (
        UPDATE job j SET state = 'running', worker = p_worker, lease_token = nextval('lease_token_seq'), claimed_at = p_now,
            started_at = NULL, attempt = j.attempt + 1, alone = false, held = false, changed_at = p_now, changed_by = p_name,
            reason = 'claimed'
        FROM weighed w WHERE j.id = w.id AND w.fits RETURNING 1
    ), counted AS (
        INSERT INTO counter_delta (queue, ready, running) SELECT p_queue, -count(*), count(*) FROM up HAVING count(*) > 0
    )
    SELECT coalesce(array_agg(id ORDER BY n) FILTER (WHERE fits), '{}'), coalesce(array_agg(key) FILTER (WHERE fits), '{}'),
        array_agg(id ORDER BY n) FILTER (WHERE NOT fits), count(*),
        coalesce(sum(cores) FILTER (WHERE fits), 0), coalesce(sum(memory) FILTER (WHERE fits), 0)
    INTO o_ids, v_served, v_left, o_seen, o_cores, o_memory FROM weighed;
    IF v_left IS NOT NULL THEN
        v_more := weigh(v_left, p_cores - o_cores, p_memory - o_memory, p_total_cores, p_patient_since);
        IF v_more.o_ids <> '{}' THEN
            PERFORM begin_jobs(v_more.o_ids, v_more.o_held, false, p_worker, p_name, p_now);
            v_served := v_served || (SELECT array_agg(concurrency_key::text) FROM job WHERE id = ANY (v_more.o_ids));
        END IF;
        o_ids := o_ids || v_more.o_ids;
        o_held := v_more.o_held;
        o_passed := v_more.o_passed;
        o_cores := o_cores + v_more.o_cores;
        o_memory := o_memory + v_more.o_memory;
    END IF;
    -- Every lane that was visited goes to the end of its line, also one that gave nothing. One that gave several jobs and
    -- all that it was asked for is taken to hold more of the same; its next turn tells.
    WITH served AS MATERIALIZED (
        SELECT u.key, count(*)::integer AS n FROM unnest(v_served) u(key) GROUP BY 1
    ), visited AS MATERIALIZED (
        SELECT k.key, coalesce((SELECT u.n FROM served u WHERE u.key = k.key), 0) AS n,
            least(v_share, coalesce(p_most - k.running, v_share)) AS asked
        FROM unnest(v_keys, v_running) k(key, running)
    ), heads AS MATERIALIZED (
        SELECT v.key, v.n, CASE WHEN v.n >= 4 AND v.n = v.asked THEN p_priority ELSE
            (SELECT j.priority FROM job j WHERE j.queue = p_queue AND j.state = 'ready' AND j.concurrency_key = v.key
                AND j.concurrency_key IS NOT NULL AND NOT j.solo
             ORDER BY j.queue, j.concurrency_key, j.priority DESC, j.run_at, j.id LIMIT 1) END AS head
        FROM visited v
    ), up AS (
        UPDATE lane l SET running = CASE WHEN p_most IS NULL THEN l.running ELSE l.running + h.n END, turn = clock_timestamp(),
            priority = coalesce(h.head, l.priority), active = h.head IS NOT NULL,
            open = h.head IS NOT NULL AND (p_most IS NULL OR l.running + h.n < p_most)
        FROM heads h WHERE l.queue = p_queue AND l.key = h.key
    )
    SELECT count(*) FILTER (WHERE n = 0 AND (head IS NULL OR head <> p_priority)) INTO v_ended FROM heads;
    -- Lanes that gave nothing hide others from this claim no longer: it may look again.
    o_seen := o_seen + v_ended;
END $$;
