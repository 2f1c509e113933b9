-- The claim.

-- What an earlier attempt has left for the next. By a snapshot of its own, as the job may have been put back after that of
-- the statement that claims it.
CREATE FUNCTION {{schema}}.checkpoint_of(p_id uuid) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT p.checkpoint FROM {{schema}}.job_progress p WHERE p.job = p_id
$$;

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
    v_slots integer[];
    v_starts integer[];
    v_spans interval[];
    v_taken integer[] := array_fill(0, ARRAY[cardinality(p_queues)]);
    v_limited boolean := false;
    -- What there is to look after, all of it found out at once: most claims have to do with none.
    v_is_due boolean;
    v_is_configured boolean;
    v_has_solo boolean;
    v_has_inbox boolean;
    v_has_lane boolean;
    v_has_unique boolean;
    -- How many have been returned already.
    v_n integer := 0;
    v_config record;
    v_ids uuid[] := '{}';
    v_held uuid;
    v_passed uuid[];
    -- Lanes whose first jobs do not fit, and the numbers of their queues.
    v_stuck text[] := '{}';
    v_stuck_in integer[] := '{}';
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
    -- A call less where there is but one; what it returns is never NULL.
    IF cardinality(v_queues) > 1 THEN
        PERFORM hold_limits(v_queues);
    ELSIF pg_advisory_xact_lock_shared(hashtext({{schema_literal}} || ':limits'), hashtext(v_queues[1])) IS NULL THEN
        RETURN;
    END IF;
    FOR look IN 1 .. 2 LOOP
        SELECT look = 1 AND EXISTS (SELECT FROM job j WHERE j.state IN ('scheduled', 'failed') AND j.run_at <= v_now),
            EXISTS (SELECT FROM queue c WHERE c.name = ANY (v_queues) AND (c.paused OR c.concurrency IS NOT NULL
                OR c.worker_concurrency IS NOT NULL OR c.key_concurrency IS NOT NULL OR c.rate_limit IS NOT NULL)),
            EXISTS (SELECT FROM job j WHERE j.queue = ANY (v_queues) AND j.state = 'ready' AND j.solo),
            EXISTS (SELECT FROM lane_inbox i WHERE i.queue = ANY (v_queues)),
            EXISTS (SELECT FROM lane l WHERE l.queue = ANY (v_queues) AND l.open)
        INTO v_is_due, v_is_configured, v_has_solo, v_has_inbox, v_has_lane;
        EXIT WHEN NOT v_is_due;
        PERFORM promote_due(v_now, 500);
    END LOOP;
    IF cardinality(v_queues) = 1 THEN
        v_allowance[1] := greatest(least(coalesce(p_allowance[1], p_max), p_max), 0);
    ELSE
        v_allowance := (SELECT array_agg(greatest(least(coalesce(p_allowance[i], p_max), p_max), 0) ORDER BY i)
                        FROM generate_subscripts(v_queues, 1) i);
    END IF;
    -- After what may have been waited for: starts are counted by the time they are dated.
    v_now := clock_timestamp();
    v_patient := v_now - p_patience;
    IF v_is_configured THEN
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
    END IF;

    -- Jobs that must run alone: to a worker without jobs at once; a busy one takes it after two seconds and drains first.
    IF v_has_solo THEN
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
    END IF;

    IF v_ids = '{}' THEN
        IF v_has_inbox OR v_has_solo THEN
            PERFORM absorb_inbox(v_queues);
        END IF;
        IF v_most IS NOT NULL AND EXISTS (SELECT FROM lane_freed f WHERE f.queue = ANY (v_queues))
           AND (EXISTS (SELECT FROM lane l WHERE l.queue = ANY (v_queues) AND l.active AND NOT l.open) OR random() < 0.02) THEN
            PERFORM absorb_freed(v_queues);
        END IF;
        IF v_has_inbox OR v_has_solo OR v_most IS NOT NULL THEN
            v_has_lane := EXISTS (SELECT FROM lane l WHERE l.queue = ANY (v_queues) AND l.open);
        END IF;
        IF cardinality(v_queues) = 1 AND v_allowance[1] > 0 AND NOT v_has_lane THEN
            -- The usual case: what fits, in one statement. By its place, which a row that is locked keeps; one that somebody
            -- has changed since the statement began is not seen there, and is looked for below. Rows come in their order.
            v_share := least(v_left, v_allowance[1]);
            RETURN QUERY WITH weighed AS MATERIALIZED (
                SELECT p.place, p.again, sum(p.cores) OVER w <= v_cores + 1e-6 AND sum(p.memory) OVER w <= v_memory AS fits
                FROM (SELECT j.ctid AS place, least(j.cores, p_total_cores)::double precision AS cores, j.memory::double precision AS memory,
                        j.lease_token IS NOT NULL AS again FROM job j
                    WHERE j.queue = v_queues[1] AND j.state = 'ready' AND j.concurrency_key IS NULL AND NOT j.solo
                        AND j.memory <= p_total_memory
                    ORDER BY j.queue, j.priority DESC, j.run_at, j.id LIMIT v_share FOR UPDATE SKIP LOCKED) p
                WINDOW w AS (ROWS UNBOUNDED PRECEDING)
            )
            UPDATE job j SET state = 'running', worker = p_worker, lease_token = nextval('lease_token_seq'), claimed_at = v_now,
                started_at = NULL, attempt = j.attempt + 1, alone = false, held = false, changed_at = v_now,
                changed_by = v_worker.name, reason = 'claimed'
            FROM weighed w WHERE j.ctid = w.place AND w.fits
            RETURNING j.id, j.lease_token, j.kind::text, j.queue::text, j.priority, j.payload, j.attempt, j.max_attempts, j.timeout,
                j.cores, j.memory, j.workflow, j.node::text, j.has_parents, j.crashes, j.alone, j.held, j.run_at, j.created_at,
                j.created_by, j.metadata, CASE WHEN w.again THEN checkpoint_of(j.id) END, j.cancel_reason, j.solo;
            GET DIAGNOSTICS v_n = ROW_COUNT;
            IF v_n > 0 THEN
                INSERT INTO counter_delta (queue, ready, running) VALUES (v_queues[1], -v_n, v_n)
                RETURNING EXISTS (SELECT FROM unique_claim) INTO v_has_unique;
                IF v_has_unique THEN
                    DELETE FROM unique_claim u USING job j
                    WHERE j.worker = p_worker AND j.state = 'running' AND j.claimed_at = v_now AND j.unique_scope = 'waiting'
                        AND u.kind = j.kind AND u.key = j.unique_key AND u.job = j.id;
                END IF;
            END IF;
            v_left := v_left - v_n;
            v_allowance[1] := v_allowance[1] - v_n;
            IF v_n < v_share AND EXISTS (SELECT FROM job j WHERE j.queue = v_queues[1] AND j.state = 'ready'
                    AND j.concurrency_key IS NULL AND NOT j.solo AND j.memory <= p_total_memory) THEN
                -- Something did not fit, or others have it.
                SELECT v_cores - coalesce(sum(least(j.cores, p_total_cores)::double precision), 0), v_memory - coalesce(sum(j.memory), 0)
                INTO v_cores, v_memory FROM job j
                WHERE v_n > 0 AND j.worker = p_worker AND j.state = 'running' AND j.claimed_at = v_now;
                v_take := take_plain(p_worker, v_worker.name, v_now, v_queues[1], -2147483648, v_share - v_n,
                    v_cores, v_memory, p_total_cores, p_total_memory, v_patient, NULL);
                v_ids := v_take.o_ids;
                v_held := v_take.o_held;
                v_passed := v_take.o_passed;
                v_left := v_left - cardinality(v_ids);
                v_allowance[1] := v_allowance[1] - cardinality(v_ids);
                v_cores := v_cores - v_take.o_cores;
                v_memory := v_memory - v_take.o_memory;
            END IF;
            v_taken[1] := v_n + cardinality(v_ids);
            IF coalesce(v_passed, '{}') = '{}' THEN
                v_left := 0;
            END IF;
        END IF;
        -- The general case: sources are the queues' plain jobs (2q - 1) and their lanes (2q). Those whose head has the
        -- highest priority share what is left; each gives nothing below the next head. A source that gave less than it
        -- was asked for is asked no more for this priority (its cap).
        FOR round IN 1 .. 100 LOOP
            EXIT WHEN v_left < 1 OR v_held IS NOT NULL OR v_cores <= 1e-6;
            IF round = 1 THEN
                v_caps := array_fill(2147483647, ARRAY[2 * cardinality(v_queues)]);
            END IF;
            SELECT array_agg(h.s ORDER BY random()) FILTER (WHERE h.priority = h.top) AS best, max(h.top) AS top,
                max(h.priority) FILTER (WHERE h.priority < h.top) AS next
            INTO v_sources FROM (
                SELECT p.s, max(p.priority) AS priority, max(max(p.priority)) OVER () AS top FROM (
                    SELECT 2 * x.i - 1 AS s, (SELECT j.priority FROM job j WHERE j.queue = x.queue AND j.state = 'ready'
                        AND j.concurrency_key IS NULL AND NOT j.solo AND j.priority <= v_caps[2 * x.i - 1]
                        ORDER BY j.queue, j.priority DESC, j.run_at, j.id LIMIT 1) AS priority
                    FROM unnest(v_queues, v_allowance) WITH ORDINALITY x(queue, allowance, i) WHERE x.allowance > 0
                    UNION ALL
                    SELECT 2 * x.i, (SELECT l.priority FROM lane l WHERE l.queue = x.queue AND l.open
                        AND l.priority <= v_caps[2 * x.i] ORDER BY l.queue, l.priority DESC, l.turn LIMIT 1)
                    FROM unnest(v_queues, v_allowance) WITH ORDINALITY x(queue, allowance, i) WHERE x.allowance > 0
                    UNION ALL
                    SELECT 2 * t.i, (SELECT j.priority FROM job j WHERE j.queue = v_queues[t.i] AND j.state = 'ready'
                        AND j.concurrency_key = t.key AND j.concurrency_key IS NOT NULL AND NOT j.solo AND j.priority <= v_caps[2 * t.i]
                        AND j.memory <= p_total_memory AND (v_passed IS NULL OR j.id <> ALL (v_passed))
                        ORDER BY j.queue, j.concurrency_key, j.priority DESC, j.run_at, j.id LIMIT 1)
                    FROM unnest(v_stuck, v_stuck_in) t(key, i) WHERE v_allowance[t.i] > 0
                ) p WHERE p.priority IS NOT NULL GROUP BY p.s) h;
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
                        v_share, v_cores, v_memory, p_total_cores, p_total_memory, v_patient, v_passed,
                        (SELECT array_agg(t.key) FROM unnest(v_stuck, v_stuck_in) t(key, i) WHERE t.i = q));
                    v_stuck_in := v_stuck_in || array_fill(q, ARRAY[coalesce(cardinality(v_take.o_stuck), 0)]);
                    v_stuck := v_stuck || v_take.o_stuck;
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
    IF v_worker.asleep AND (v_n > 0 OR v_ids <> '{}') THEN
        UPDATE worker w SET asleep = false WHERE w.id = p_worker;
    END IF;
    IF v_ids = '{}' THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM unique_claim) THEN
        DELETE FROM unique_claim u USING unnest(v_ids) i(id), job j
        WHERE j.id = i.id AND j.unique_scope = 'waiting' AND u.kind = j.kind AND u.key = j.unique_key AND u.job = j.id;
    END IF;
    RETURN QUERY SELECT j.id, j.lease_token, j.kind::text, j.queue::text, j.priority, j.payload, j.attempt, j.max_attempts, j.timeout,
        j.cores, j.memory, j.workflow, j.node::text, j.has_parents, j.crashes, j.alone, j.held, j.run_at, j.created_at,
        j.created_by, j.metadata, CASE WHEN EXISTS (SELECT FROM job_progress)
            THEN (SELECT p.checkpoint FROM job_progress p WHERE p.job = j.id) END, j.cancel_reason, j.solo
    FROM unnest(v_ids) WITH ORDINALITY i(id, n) JOIN job j ON j.id = i.id ORDER BY i.n;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_claim IS 'Claims up to p_max jobs that fit into p_cores and p_memory; raises KL001 if the worker has lost its lease.';
