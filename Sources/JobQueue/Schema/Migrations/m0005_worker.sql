-- The protocol between a worker and the database. Every write about a job is fenced: it needs the worker's id and the
-- token of its claim, and misses (accepted = false) when the job has meanwhile gone to somebody else.

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

-- Moves what producers appended into lanes. Rows and lanes that somebody else holds stay for the next claim; a lane in
-- which nothing would change is not written.
CREATE FUNCTION {{schema}}.absorb_inbox(p_queues text[]) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    WITH seen AS MATERIALIZED (
        SELECT i.ctid AS at, i.queue, i.key, i.priority FROM lane_inbox i WHERE i.queue = ANY (p_queues)
        LIMIT 1000 FOR UPDATE SKIP LOCKED
    ), keys AS MATERIALIZED (
        SELECT s.queue, s.key, max(s.priority) AS priority, min(q.key_concurrency) AS most
        FROM seen s LEFT JOIN queue q ON q.name = s.queue GROUP BY 1, 2 ORDER BY 1, 2
    ), mine AS MATERIALIZED (
        SELECT l.queue, l.key, k.priority, k.most FROM keys k JOIN lane l ON l.queue = k.queue AND l.key = k.key
        FOR NO KEY UPDATE OF l SKIP LOCKED
    ), up AS (
        UPDATE lane l SET active = true, priority = CASE WHEN l.active THEN greatest(l.priority, m.priority) ELSE m.priority END,
            open = m.most IS NULL OR l.running < m.most
        FROM mine m WHERE l.queue = m.queue AND l.key = m.key
            AND NOT (l.active AND l.priority >= m.priority AND (l.open OR l.running >= m.most))
    ), fresh AS (
        INSERT INTO lane (queue, key, priority) SELECT k.queue, k.key, k.priority FROM keys k
        WHERE NOT EXISTS (SELECT FROM lane l WHERE l.queue = k.queue AND l.key = k.key)
        ORDER BY k.queue, k.key ON CONFLICT DO NOTHING RETURNING queue, key
    )
    DELETE FROM lane_inbox i USING seen s WHERE i.ctid = s.at
        AND (EXISTS (SELECT FROM mine m WHERE m.queue = s.queue AND m.key = s.key)
             OR EXISTS (SELECT FROM fresh f WHERE f.queue = s.queue AND f.key = s.key));
END $$;

-- Takes off the lanes what finished jobs appended; what is of lanes that somebody else holds is put back.
CREATE FUNCTION {{schema}}.absorb_freed(p_queues text[]) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    WITH seen AS MATERIALIZED (
        SELECT f.ctid AS at FROM lane_freed f WHERE f.queue = ANY (p_queues) LIMIT 1000 FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM lane_freed f USING seen s WHERE f.ctid = s.at RETURNING f.queue, f.keys, f.counts
    ), sums AS MATERIALIZED (
        SELECT g.queue, u.key, sum(u.n)::integer AS n FROM gone g, unnest(g.keys, g.counts) u(key, n) GROUP BY 1, 2 ORDER BY 1, 2
    ), mine AS MATERIALIZED (
        SELECT l.queue, l.key, s.n FROM sums s JOIN lane l ON l.queue = s.queue AND l.key = s.key
        FOR NO KEY UPDATE OF l SKIP LOCKED
    ), up AS (
        UPDATE lane l SET running = greatest(l.running - m.n, 0),
            open = l.active AND (q.key_concurrency IS NULL OR greatest(l.running - m.n, 0) < q.key_concurrency)
        FROM mine m LEFT JOIN queue q ON q.name = m.queue WHERE l.queue = m.queue AND l.key = m.key
    )
    INSERT INTO lane_freed SELECT s.queue, array_agg(s.key), array_agg(s.n) FROM sums s
    WHERE NOT EXISTS (SELECT FROM mine m WHERE m.queue = s.queue AND m.key = s.key)
        AND EXISTS (SELECT FROM lane l WHERE l.queue = s.queue AND l.key = s.key) GROUP BY 1;
END $$;

CREATE FUNCTION {{schema}}.worker_claim(p_worker uuid, p_queues text[], p_allowance integer[], p_max integer, p_cores real,
    p_memory bigint, p_total_cores real, p_total_memory bigint, p_idle boolean DEFAULT false, p_patience interval DEFAULT '10 seconds')
    RETURNS TABLE (id uuid, token bigint, kind text, queue text, priority integer, payload jsonb, attempt integer,
        max_attempts integer, timeout interval, cores real, memory bigint, workflow uuid, node text, has_parents boolean,
        crashes integer, alone boolean, held boolean, run_at timestamptz, created_at timestamptz, created_by name,
        metadata jsonb, checkpoint jsonb, cancel_reason text, solo boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
    v_worker record;
    v_queues text[] := p_queues;
    v_allowance integer[];
    v_most integer[];
    v_slots integer[] := array_fill(NULL::integer, ARRAY[cardinality(p_queues)]);
    v_starts integer[] := v_slots;
    v_spans interval[];
    v_taken integer[] := array_fill(0, ARRAY[cardinality(p_queues)]);
    v_limited boolean := false;
    v_config record;
    v_ids uuid[] := '{}';
    v_held uuid;
    v_passed uuid[];
    v_left integer := p_max;
    v_cores double precision := p_cores;
    v_memory bigint := p_memory;
    v_caps integer[];
    v_sources record;
    v_take record;
    v_share integer;
    v_rest integer;
    v_patient timestamptz;
    v_solo record;
    q integer;
    s integer;
BEGIN
    SELECT w.name, w.state, w.asleep INTO v_worker FROM worker w
    WHERE w.id = p_worker AND w.state IN ('alive', 'draining') AND w.expires_at > v_now FOR KEY SHARE;
    IF NOT FOUND THEN
        PERFORM lease_lost(p_worker);
    ELSIF v_worker.state = 'draining' OR p_max < 1 OR v_queues = '{}' THEN
        RETURN;
    END IF;
    PERFORM hold_limits(v_queues);
    IF EXISTS (SELECT FROM job j WHERE j.state IN ('scheduled', 'failed') AND j.run_at <= v_now) THEN
        PERFORM promote_due(v_now, 500);
    END IF;
    v_allowance := (SELECT array_agg(greatest(least(coalesce(p_allowance[i], p_max), p_max), 0) ORDER BY i)
                    FROM generate_subscripts(v_queues, 1) i);
    -- After what may have been waited for: starts are counted by the time they are dated.
    v_now := clock_timestamp();
    FOR v_config IN SELECT c.* FROM queue c WHERE c.name = ANY (v_queues) LOOP
        q := array_position(v_queues, v_config.name::text);
        IF v_config.key_concurrency IS NOT NULL THEN
            v_most[q] := v_config.key_concurrency;
        END IF;
        IF v_config.paused THEN
            v_allowance[q] := 0;
        END IF;
        IF v_config.worker_concurrency IS NOT NULL AND v_allowance[q] > 0 THEN
            v_allowance[q] := greatest(least(v_allowance[q], v_config.worker_concurrency - (
                SELECT count(*)::integer FROM job j WHERE j.worker = p_worker AND j.state = 'running' AND j.queue = v_config.name)), 0);
        END IF;
        -- Taken in full before the jobs, and what is not needed goes back after them.
        IF v_config.concurrency IS NOT NULL AND v_allowance[q] > 0 THEN
            v_limited := true;
            v_slots[q] := take_permits(v_queues[q], false, v_allowance[q], 'infinity');
            v_allowance[q] := v_slots[q];
        END IF;
        IF v_config.rate_limit IS NOT NULL AND v_allowance[q] > 0 THEN
            v_limited := true;
            v_spans[q] := v_config.rate_interval;
            v_starts[q] := take_permits(v_queues[q], true, v_allowance[q], v_now - v_config.rate_interval);
            v_allowance[q] := v_starts[q];
        END IF;
    END LOOP;
    v_patient := v_now - p_patience;

    -- Jobs that must run alone: to a worker without jobs at once; a busy one takes it after two seconds and drains first.
    FOR v_solo IN SELECT h.*, x.i FROM unnest(v_queues, v_allowance) WITH ORDINALITY x(queue, allowance, i),
        LATERAL (SELECT j.id, j.queue, j.concurrency_key FROM job j WHERE j.queue = x.queue AND j.state = 'ready' AND j.solo
            AND j.memory <= p_total_memory AND (p_idle OR j.changed_at < v_now - interval '2 seconds')
            ORDER BY j.queue, j.priority DESC, j.run_at, j.id LIMIT 8) h WHERE x.allowance > 0
    LOOP
        PERFORM FROM job j WHERE j.id = v_solo.id AND j.state = 'ready' AND j.solo FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        IF v_solo.concurrency_key IS NOT NULL AND v_most[v_solo.i] IS NOT NULL THEN
            INSERT INTO lane_inbox VALUES (v_solo.queue, v_solo.concurrency_key, 0);
            PERFORM absorb_inbox(ARRAY[v_solo.queue]), absorb_freed(ARRAY[v_solo.queue]);
            UPDATE lane l SET running = l.running + 1, open = l.active AND l.running + 1 < v_most[v_solo.i]
            FROM (SELECT k.queue, k.key FROM lane k WHERE k.queue = v_solo.queue AND k.key = v_solo.concurrency_key
                AND k.running < v_most[v_solo.i] FOR NO KEY UPDATE SKIP LOCKED) m
            WHERE l.queue = m.queue AND l.key = m.key;
            CONTINUE WHEN NOT FOUND;
        END IF;
        v_ids := ARRAY[v_solo.id];
        v_taken[v_solo.i] := 1;
        PERFORM begin_jobs(v_ids, CASE WHEN NOT p_idle THEN v_solo.id END, p_idle, p_worker, v_worker.name, v_now);
        EXIT;
    END LOOP;

    IF v_ids = '{}' THEN
        IF EXISTS (SELECT FROM lane_inbox i WHERE i.queue = ANY (v_queues)) THEN
            PERFORM absorb_inbox(v_queues);
        END IF;
        IF v_most IS NOT NULL AND EXISTS (SELECT FROM lane_freed f WHERE f.queue = ANY (v_queues))
           AND (EXISTS (SELECT FROM lane l WHERE l.queue = ANY (v_queues) AND l.active AND NOT l.open) OR random() < 0.02) THEN
            PERFORM absorb_freed(v_queues);
        END IF;
        IF cardinality(v_queues) = 1 AND v_allowance[1] > 0
           AND NOT EXISTS (SELECT FROM lane l WHERE l.queue = v_queues[1] AND l.open) THEN
            v_take := take_plain(p_worker, v_worker.name, v_now, v_queues[1], -2147483648, least(v_left, v_allowance[1]),
                v_cores, v_memory, p_total_cores, p_total_memory, v_patient, NULL);
            v_ids := v_take.o_ids;
            v_held := v_take.o_held;
            v_passed := v_take.o_passed;
            v_left := v_left - cardinality(v_ids);
            v_allowance[1] := v_allowance[1] - cardinality(v_ids);
            v_taken[1] := cardinality(v_ids);
            v_cores := v_cores - v_take.o_cores;
            v_memory := v_memory - v_take.o_memory;
            IF coalesce(v_passed, '{}') = '{}' THEN
                v_left := 0;
            END IF;
        END IF;
        -- The general case: sources are the queues' plain jobs (2q - 1) and their lanes (2q). Those whose head has the
        -- highest priority share what is left; each gives nothing below the next head. A source that gave less than it
        -- was asked for is asked no more for this priority (its cap).
        v_caps := array_fill(2147483647, ARRAY[2 * cardinality(v_queues)]);
        FOR round IN 1 .. 100 LOOP
            EXIT WHEN v_left < 1 OR v_held IS NOT NULL OR v_cores <= 1e-6;
            SELECT array_agg(h.s ORDER BY random()) FILTER (WHERE h.priority = h.top) AS best, max(h.top) AS top,
                max(h.priority) FILTER (WHERE h.priority < h.top) AS next
            INTO v_sources FROM (
                SELECT p.s, p.priority, max(p.priority) OVER () AS top FROM (
                    SELECT 2 * x.i - 1 AS s, (SELECT j.priority FROM job j WHERE j.queue = x.queue AND j.state = 'ready'
                        AND j.concurrency_key IS NULL AND NOT j.solo AND j.priority <= v_caps[2 * x.i - 1]
                        ORDER BY j.queue, j.priority DESC, j.run_at, j.id LIMIT 1) AS priority
                    FROM unnest(v_queues, v_allowance) WITH ORDINALITY x(queue, allowance, i) WHERE x.allowance > 0
                    UNION ALL
                    SELECT 2 * x.i, (SELECT l.priority FROM lane l WHERE l.queue = x.queue AND l.open
                        AND l.priority <= v_caps[2 * x.i] ORDER BY l.queue, l.priority DESC, l.turn LIMIT 1)
                    FROM unnest(v_queues, v_allowance) WITH ORDINALITY x(queue, allowance, i) WHERE x.allowance > 0
                ) p WHERE p.priority IS NOT NULL) h;
            EXIT WHEN v_sources.best IS NULL;
            v_rest := cardinality(v_sources.best);
            FOREACH s IN ARRAY v_sources.best LOOP
                q := (s + 1) / 2;
                v_share := least((v_left + v_rest - 1) / v_rest, v_allowance[q]);
                v_rest := v_rest - 1;
                CONTINUE WHEN v_share < 1 OR v_held IS NOT NULL;
                IF s % 2 = 1 THEN
                    v_take := take_plain(p_worker, v_worker.name, v_now, v_queues[q],
                        CASE WHEN cardinality(v_sources.best) > 1 THEN v_sources.top
                             ELSE coalesce(v_sources.next, -2147483648) END,
                        v_share, v_cores, v_memory, p_total_cores, p_total_memory, v_patient, v_passed);
                ELSE
                    v_take := take_keyed(p_worker, v_worker.name, v_now, v_queues[q], v_most[q], v_sources.top,
                        v_share, v_cores, v_memory, p_total_cores, p_total_memory, v_patient, v_passed);
                END IF;
                v_ids := v_ids || v_take.o_ids;
                v_held := v_take.o_held;
                v_passed := v_passed || v_take.o_passed;
                v_left := v_left - cardinality(v_take.o_ids);
                v_allowance[q] := v_allowance[q] - cardinality(v_take.o_ids);
                v_taken[q] := v_taken[q] + cardinality(v_take.o_ids);
                v_cores := v_cores - v_take.o_cores;
                v_memory := v_memory - v_take.o_memory;
                -- Jobs passed over were seen, so the source may hold more; but no source is searched without end.
                IF v_take.o_seen = 0 OR s % 2 = 1 AND v_take.o_seen < v_share OR coalesce(cardinality(v_passed), 0) > 4 * p_max + 16 THEN
                    v_caps[s] := CASE WHEN s % 2 = 1 AND cardinality(v_sources.best) = 1
                        THEN coalesce(v_sources.next, -2147483648) ELSE v_sources.top END;
                    IF v_caps[s] > -2147483648 THEN
                        v_caps[s] := v_caps[s] - 1;
                    ELSE
                        v_allowance[q] := 0;
                    END IF;
                END IF;
            END LOOP;
        END LOOP;
    END IF;
    IF v_limited THEN
        INSERT INTO permit SELECT v_queues[i], y.rated, y.at, y.n FROM generate_subscripts(v_queues, 1) i,
            LATERAL (VALUES (false, v_now, v_slots[i] - v_taken[i]), (true, v_now - v_spans[i], v_starts[i] - v_taken[i]),
                (true, v_now, CASE WHEN v_starts[i] IS NOT NULL THEN v_taken[i] END)) y(rated, at, n) WHERE y.n > 0;
    END IF;
    IF v_ids = '{}' THEN
        RETURN;
    END IF;
    IF v_worker.asleep THEN
        UPDATE worker w SET asleep = false WHERE w.id = p_worker;
    END IF;
    RETURN QUERY WITH mine AS MATERIALIZED (
        SELECT i.n, j.* FROM unnest(v_ids) WITH ORDINALITY i(id, n) JOIN job j ON j.id = i.id
    ), begun AS (
        DELETE FROM unique_claim u USING mine j
        WHERE j.unique_scope = 'waiting' AND u.kind = j.kind AND u.key = j.unique_key AND u.job = j.id
    )
    SELECT j.id, j.lease_token, j.kind::text, j.queue::text, j.priority, j.payload, j.attempt, j.max_attempts, j.timeout,
        j.cores, j.memory, j.workflow, j.node::text, j.has_parents, j.crashes, j.alone, j.held, j.run_at, j.created_at,
        j.created_by, j.metadata, CASE WHEN j.attempt > 1 OR j.errors IS NOT NULL OR j.crashes > 0 OR j.started_at IS NULL
            THEN (SELECT p.checkpoint FROM job_progress p WHERE p.job = j.id) END, j.cancel_reason, j.solo
    FROM mine j ORDER BY j.n;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_claim IS 'Claims up to p_max jobs that fit into p_cores and p_memory; raises KL001 if the worker has lost its lease.';

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
    v_queues text[];
    v_keys text[];
BEGIN
    WITH input AS MATERIALIZED (
        SELECT i.id, i.token, i.result FROM unnest(p_ids, p_tokens, p_results) i(id, token, result) ORDER BY i.id
    ), gone AS (
        DELETE FROM job j USING input i
        WHERE j.id = i.id AND j.lease_token = i.token AND j.worker = p_worker AND j.state = 'running'
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
    ), flows AS (
        INSERT INTO workflow_delta (workflow, succeeded)
        SELECT g.workflow, count(*) FROM gone g WHERE g.workflow IS NOT NULL GROUP BY 1
    )
    SELECT array_agg(g.id), array_agg(g.id) FILTER (WHERE g.has_children), array_agg(g.id) FILTER (WHERE g.has_parents),
        array_agg(g.id) FILTER (WHERE g.unique_key IS NOT NULL AND g.unique_scope <> 'period'),
        array_agg(g.queue), array_agg(g.concurrency_key)
    INTO v_done, v_parents, v_children, v_unique, v_queues, v_keys FROM gone g;
    IF v_parents IS NOT NULL THEN
        PERFORM settle(v_parents, true, 'kiln');
    END IF;
    IF v_children IS NOT NULL THEN
        DELETE FROM job_edge e WHERE e.child = ANY (v_children);
    END IF;
    IF v_unique IS NOT NULL THEN
        PERFORM forget_unique(v_unique);
    END IF;
    PERFORM vacate(v_queues, v_keys);
    RETURN QUERY SELECT i, coalesce(i = ANY (v_done), false) FROM unnest(p_ids) i;
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

-- Schedules.
CREATE FUNCTION {{schema}}.worker_schedules() RETURNS TABLE (name text, cron text, timezone text, missed text, settled_until timestamptz,
    next_tick timestamptz, revision bigint, now timestamptz) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
    SELECT name::text, cron, timezone, missed, settled_until, next_tick, revision, clock_timestamp() FROM schedule WHERE NOT paused ORDER BY name
$$;
COMMENT ON FUNCTION {{schema}}.worker_schedules IS 'The schedules that are not paused; ticks after settled_until and not after now are due.';

CREATE FUNCTION {{schema}}.worker_fire(p_name text, p_revision bigint, p_tick timestamptz, p_next timestamptz, p_enqueue boolean DEFAULT true)
    RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_plan record;
    v_job uuid;
BEGIN
    -- Of several workers one wins: the others wait for its row, and then the tick is settled.
    UPDATE schedule SET settled_until = p_tick, next_tick = p_next, last_tick = CASE WHEN p_enqueue THEN p_tick ELSE last_tick END
    WHERE name = p_name AND revision = p_revision AND NOT paused AND settled_until < p_tick AND p_tick <= clock_timestamp()
    RETURNING * INTO v_plan;
    IF NOT FOUND OR NOT p_enqueue THEN
        RETURN NULL;
    END IF;
    v_job := (enqueue_as(jsonb_build_array(v_plan.options || jsonb_build_object('kind', v_plan.kind, 'payload', v_plan.payload,
        'metadata', coalesce(v_plan.options -> 'metadata', '{}') || jsonb_build_object('schedule', p_name, 'tick', p_tick))),
        v_plan.created_by, NULL, 'worker_fire'))[1];
    UPDATE schedule SET last_job = v_job WHERE name = p_name;
    RETURN v_job;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_fire IS 'Fires a tick of a schedule once over all workers: returns the job''s id, or NULL if the tick is settled already (p_enqueue => false settles it without a job).';

CREATE FUNCTION {{schema}}.worker_plan(p_name text, p_revision bigint, p_next timestamptz) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    UPDATE schedule SET next_tick = p_next WHERE name = p_name AND revision = p_revision AND next_tick IS DISTINCT FROM p_next;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_plan IS 'Shows people when a schedule fires next.';
