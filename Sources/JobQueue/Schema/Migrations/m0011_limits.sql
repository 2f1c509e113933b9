-- What limits and turns are kept by: permits of queues, and a lane for each concurrency key.

-- One row per concurrency key: whether it has jobs, whether it has a free slot, and when its turn was. Running jobs are
-- counted (but for what lane_freed says) only while the queue has a key_concurrency.
CREATE TABLE {{schema}}.lane (
    queue text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    running integer NOT NULL DEFAULT 0,
    priority integer NOT NULL DEFAULT 0,
    turn timestamptz NOT NULL DEFAULT clock_timestamp(),
    active boolean NOT NULL DEFAULT true,
    open boolean NOT NULL DEFAULT true,
    PRIMARY KEY (queue, key)
) WITH (fillfactor = 70, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.01,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX lane_open ON {{schema}}.lane (queue, priority DESC, turn) WHERE open;
CREATE INDEX lane_full ON {{schema}}.lane (queue) WHERE active AND NOT open;

-- What a queue's limits leave free, as rows that a claim takes away and finished jobs bring back. Rows are never updated,
-- and a claim passes over those that another has locked: nobody waits for somebody else's commit. Every transaction
-- keeps two sums: a queue's permits and its running jobs are its concurrency, its rated permits are its rate_limit. A
-- claim takes no more than it has locked, and the others' are not negative: so no limit is ever exceeded.
CREATE TABLE {{schema}}.permit (
    queue text COLLATE "C" NOT NULL,
    -- Whether these are starts under the queue's rate, which come back by themselves, rather than slots.
    rated boolean NOT NULL,
    -- When they were used last; a rate's are free again one rate_interval later. 'infinity' is a debt.
    at timestamptz NOT NULL,
    -- How many. Negative for a debt: a limit was lowered below what runs. Whoever takes permits takes on all debts.
    n integer NOT NULL CHECK (n > 0 OR n < 0 AND NOT rated AND at = 'infinity')
) WITH (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX permit_free ON {{schema}}.permit (queue, rated, at);

-- Keys of jobs that became ready. Producers only append here, so that an app's long transaction holds no lane; claims
-- absorb it.
CREATE TABLE {{schema}}.lane_inbox (
    queue text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    priority integer NOT NULL
) WITH (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0);

-- How many jobs of each key a call has ended, where keys are limited. Absorbed when a key has run out, and now and then:
-- until then a lane counts too many, never too few.
CREATE TABLE {{schema}}.lane_freed (
    queue text COLLATE "C" NOT NULL,
    keys text[] COLLATE "C" NOT NULL,
    counts integer[] NOT NULL
) WITH (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0);

-- Held until the commit by whatever starts or ends jobs under the limits that it has read: set_queue() takes the same
-- locks exclusively, so it counts what runs when nobody is under way with the old limits.
CREATE FUNCTION {{schema}}.hold_limits(p_queues text[]) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext({{schema_literal}} || ':limits'), h)
    FROM (SELECT DISTINCT hashtext(q) AS h FROM unnest(p_queues) q ORDER BY 1) x;
END $$;

-- Takes up to p_n permits that were used last at p_since or before, and returns how many there were. Those that others
-- hold are passed over. The newest come first: they are few and small, and what was never used stays in large rows.
CREATE FUNCTION {{schema}}.take_permits(p_queue text, p_rated boolean, p_n integer, p_since timestamptz) RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    c_free NO SCROLL CURSOR FOR SELECT p.ctid AS place, p.at, p.n FROM permit p
        WHERE p.queue = p_queue AND p.rated = p_rated AND p.at <= p_since
        ORDER BY p.queue DESC, p.rated DESC, p.at DESC FOR UPDATE SKIP LOCKED;
    v_row record;
    v_places tid[] := '{}';
    v_sum integer := 0;
    v_at timestamptz;
BEGIN
    OPEN c_free;
    LOOP
        FETCH c_free INTO v_row;
        EXIT WHEN NOT FOUND;
        v_places := v_places || v_row.place;
        v_sum := v_sum + v_row.n;
        v_at := v_row.at;
        EXIT WHEN v_sum >= p_n;
    END LOOP;
    CLOSE c_free;
    -- A debt, which the order puts first, may be in another's hands: what is here is owed then.
    IF v_places = '{}' OR NOT p_rated AND EXISTS (SELECT FROM permit p WHERE p.queue = p_queue AND NOT p.rated
            AND p.at = 'infinity' AND p.ctid <> ALL (v_places)) THEN
        RETURN 0;
    END IF;
    DELETE FROM permit WHERE ctid = ANY (v_places);
    IF v_sum > p_n THEN
        INSERT INTO permit VALUES (p_queue, p_rated, v_at, v_sum - p_n);
    ELSIF v_sum < 0 THEN
        INSERT INTO permit VALUES (p_queue, false, 'infinity', v_sum);
    END IF;
    RETURN greatest(least(v_sum, p_n), 0);
END $$;

-- Makes a queue's permits add up after its limits have changed, or should they ever be wrong. Every transaction keeps the
-- sums, so that one snapshot tells what is missing, and adding it is right whoever is under way.
CREATE FUNCTION {{schema}}.recount_queue(p_name text) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_missing record;
BEGIN
    -- The limits must stay as they are; whoever changes them recounts as well.
    IF NOT pg_try_advisory_xact_lock_shared(hashtext({{schema_literal}} || ':limits'), hashtext(p_name)) THEN
        RETURN;
    END IF;
    DELETE FROM permit p USING queue q WHERE p.queue = p_name AND q.name = p_name
        AND CASE WHEN p.rated THEN q.rate_limit ELSE q.concurrency END IS NULL;
    SELECT q.concurrency - (SELECT count(*) FROM job j WHERE j.state = 'running' AND j.queue = p_name)
            - (SELECT coalesce(sum(p.n), 0) FROM permit p WHERE p.queue = p_name AND NOT p.rated) AS slots,
        q.rate_limit - (SELECT coalesce(sum(p.n), 0) FROM permit p WHERE p.queue = p_name AND p.rated) AS starts
    INTO v_missing FROM queue q WHERE q.name = p_name;
    -- In several rows, so that as many claims find some.
    INSERT INTO permit SELECT p_name, x.rated, '-infinity', x.n / 16 + (i <= x.n % 16)::integer
    FROM (VALUES (false, v_missing.slots), (true, v_missing.starts)) x(rated, n), generate_series(1, least(x.n, 16)) i WHERE x.n > 0;
    IF v_missing.slots < 0 THEN
        INSERT INTO permit VALUES (p_name, false, 'infinity', v_missing.slots);
    END IF;
    IF v_missing.starts < 0 THEN
        -- What would be free first goes: for as long as more has started than is allowed now, nothing is free.
        WITH old AS (
            SELECT p.ctid AS place, p.n, sum(p.n) OVER (ORDER BY p.at, p.ctid) + v_missing.starts AS rest
            FROM permit p WHERE p.queue = p_name AND p.rated
        ), gone AS (
            DELETE FROM permit p USING old o WHERE p.ctid = o.place AND o.rest < o.n RETURNING p.at, o.rest
        )
        INSERT INTO permit SELECT p_name, true, g.at, g.rest FROM gone g WHERE g.rest > 0;
    END IF;
    IF v_missing.slots > 0 OR v_missing.starts > 0 THEN
        INSERT INTO counter_delta (queue, wake) VALUES (p_name, true);
    END IF;
END $$;

-- Tells the next claim of slots that came free. Nothing is locked but what is appended, so that jobs finish without
-- waiting for claims.
CREATE FUNCTION {{schema}}.vacate(p_queues text[], p_keys text[]) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF p_queues IS NULL THEN
        RETURN;
    END IF;
    PERFORM hold_limits(p_queues);
    IF NOT EXISTS (SELECT FROM queue WHERE name = ANY (p_queues) AND (concurrency IS NOT NULL OR key_concurrency IS NOT NULL)) THEN
        RETURN;
    END IF;
    WITH freed AS MATERIALIZED (
        SELECT u.queue, u.key, u.n, q.concurrency, q.key_concurrency
        FROM (SELECT queue, key, count(*)::integer AS n FROM unnest(p_queues, p_keys) x(queue, key) GROUP BY 1, 2) u
        JOIN queue q ON q.name = u.queue AND (q.concurrency IS NOT NULL OR q.key_concurrency IS NOT NULL AND u.key IS NOT NULL)
    ), slots AS (
        INSERT INTO permit SELECT queue, false, clock_timestamp(), sum(n) FROM freed WHERE concurrency IS NOT NULL GROUP BY 1
    ), lanes AS (
        INSERT INTO lane_freed SELECT queue, array_agg(key), array_agg(n) FROM freed
        WHERE key_concurrency IS NOT NULL AND key IS NOT NULL GROUP BY 1
    )
    INSERT INTO counter_delta (queue, wake) SELECT DISTINCT queue, true FROM freed;
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
