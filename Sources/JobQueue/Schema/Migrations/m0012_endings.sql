-- How a job leaves the hot table without success, what follows for its children, and how it becomes due.

-- Moves locked jobs out of `job` into the history, and says what else has to be told.
CREATE FUNCTION {{schema}}.bury(p_ids uuid[], p_outcome {{schema}}.job_state, p_reasons text[], p_by text,
        OUT o_parents uuid[], OUT o_queues text[], OUT o_keys text[]) LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_unique uuid[];
BEGIN
    WITH input AS (
        SELECT i.id, i.reason FROM unnest(p_ids, p_reasons) AS i(id, reason)
    ), gone AS (
        DELETE FROM job j USING input i WHERE j.id = i.id RETURNING j.*, i.reason AS final_reason
    ), kept AS (
        INSERT INTO job_history (id, outcome, finished_at, kind, queue, priority, run_at, payload, attempt, max_attempts,
            timeout, cores, memory, concurrency_key, unique_key, unique_scope, workflow, node, parents, policies, worker,
            claimed_at, seconds, crashes, errors, created_at, created_by, changed_by, reason, metadata)
        SELECT id, p_outcome, v_now, kind, queue, priority, run_at, payload, attempt, max_attempts,
            timeout, cores, memory, concurrency_key, unique_key, unique_scope, workflow, node,
            CASE WHEN has_parents THEN (SELECT array_agg(e.parent ORDER BY e.parent) FROM job_edge e WHERE e.child = g.id) END,
            CASE WHEN has_parents THEN (SELECT array_agg(e.on_failure ORDER BY e.parent) FROM job_edge e WHERE e.child = g.id) END,
            worker, claimed_at,
            CASE WHEN state = 'running' THEN date_part('epoch', v_now - coalesce(started_at, claimed_at)) END,
            crashes, errors, created_at, created_by, p_by, final_reason, metadata
        FROM gone g
    ), counted AS (
        INSERT INTO counter_delta (queue, blocked, scheduled, ready, running, failed, cancelled, dead, wake)
        SELECT queue, -count(*) FILTER (WHERE state = 'blocked'), -count(*) FILTER (WHERE state = 'scheduled'),
            -count(*) FILTER (WHERE state = 'ready'), -count(*) FILTER (WHERE state = 'running'),
            -count(*) FILTER (WHERE state = 'failed'),
            CASE WHEN p_outcome = 'cancelled' THEN count(*) ELSE 0 END,
            CASE WHEN p_outcome = 'dead' THEN count(*) ELSE 0 END, false
        FROM gone GROUP BY queue
    ), flows AS (
        INSERT INTO workflow_delta (workflow, dead, cancelled)
        SELECT workflow, CASE WHEN p_outcome = 'dead' THEN count(*) ELSE 0 END,
            CASE WHEN p_outcome = 'cancelled' THEN count(*) ELSE 0 END
        FROM gone WHERE workflow IS NOT NULL GROUP BY workflow
    ), edges AS (
        DELETE FROM job_edge e USING gone g WHERE g.has_parents AND e.child = g.id
    )
    SELECT array_agg(id) FILTER (WHERE has_children), array_agg(queue) FILTER (WHERE state = 'running'),
        array_agg(concurrency_key) FILTER (WHERE state = 'running'), array_agg(id) FILTER (WHERE unique_key IS NOT NULL)
    INTO o_parents, o_queues, o_keys, v_unique FROM gone;
    IF EXISTS (SELECT FROM job_waiter) THEN PERFORM announce(p_ids); END IF;
    IF v_unique IS NOT NULL THEN
        PERFORM forget_unique(v_unique);
    END IF;
END $$;

-- Gives back the unique keys of jobs that have just moved to the history.
CREATE FUNCTION {{schema}}.forget_unique(p_ids uuid[]) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    DELETE FROM unique_claim u USING job_history h
    WHERE h.id = ANY (p_ids) AND u.kind = h.kind AND u.key = h.unique_key AND u.job = h.id AND u.scope <> 'period';
END $$;

-- Tells the children of finished jobs. Every descendant that a failure may cancel is locked first, in the order of ids,
-- so that two cascades never wait for each other; without p_wait a row that somebody holds raises 55P03. Returns the workflows that an edge says have failed.
CREATE FUNCTION {{schema}}.settle(p_ids uuid[], p_ok boolean, p_by text, p_wait boolean DEFAULT true) RETURNS uuid[] LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_ids uuid[] := p_ids;
    v_ok boolean := p_ok;
    v_doomed uuid[] := '{}';
    v_more uuid[];
    v_freed uuid[];
    v_counts integer[];
    v_lost uuid[];
    v_reasons text[];
BEGIN
    IF NOT p_wait THEN
        PERFORM FROM job WHERE id IN (
            WITH RECURSIVE below(id) AS (
                SELECT child FROM job_edge WHERE parent = ANY (p_ids) AND NOT done
                UNION SELECT e.child FROM below b JOIN job_edge e ON e.parent = b.id WHERE NOT e.done)
            SELECT id FROM below) AND state = 'blocked' ORDER BY id FOR UPDATE NOWAIT;
    ELSIF p_ok THEN
        PERFORM FROM job WHERE id IN (SELECT child FROM job_edge WHERE parent = ANY (p_ids) AND NOT done)
            ORDER BY id FOR NO KEY UPDATE;
    ELSE
        PERFORM FROM job WHERE id IN (
            WITH RECURSIVE below(id) AS (
                SELECT child FROM job_edge WHERE parent = ANY (p_ids) AND NOT done
                UNION SELECT e.child FROM below b JOIN job_edge e ON e.parent = b.id WHERE NOT e.done)
            SELECT id FROM below) AND state = 'blocked' ORDER BY id FOR UPDATE;
    END IF;
    WHILE v_ids <> '{}' LOOP
        WITH told AS (
            UPDATE job_edge SET done = true WHERE parent = ANY (v_ids) AND NOT done
            RETURNING parent, child, on_failure
        ), freed AS (
            SELECT child, count(*)::integer AS n FROM told WHERE v_ok OR on_failure = 'run' GROUP BY child
        ), lost AS (
            SELECT t.child, min(t.parent::text) AS parent FROM told t JOIN job j ON j.id = t.child AND j.state = 'blocked'
            WHERE NOT v_ok AND (t.on_failure = 'cancel' OR t.on_failure = 'fail_workflow' AND j.workflow IS NULL)
            GROUP BY t.child
        ), doomed AS (
            SELECT DISTINCT j.workflow FROM told t JOIN job j ON j.id = t.child
            WHERE NOT v_ok AND t.on_failure = 'fail_workflow' AND j.workflow IS NOT NULL
        )
        SELECT (SELECT array_agg(child) FROM freed), (SELECT array_agg(n) FROM freed),
            (SELECT array_agg(child ORDER BY child) FROM lost),
            (SELECT array_agg('its parent ' || parent || ' did not succeed' ORDER BY child) FROM lost),
            (SELECT array_agg(workflow) FROM doomed)
        INTO v_freed, v_counts, v_lost, v_reasons, v_more;
        IF v_freed IS NOT NULL THEN
            WITH up AS (
                UPDATE job j SET pending = j.pending - f.n,
                    state = CASE WHEN j.pending > f.n THEN 'blocked' WHEN j.run_at > v_now THEN 'scheduled'
                            ELSE 'ready' END::job_state,
                    changed_at = v_now, changed_by = p_by,
                    reason = CASE WHEN j.pending > f.n THEN j.reason ELSE 'its parents have finished' END
                FROM unnest(v_freed, v_counts) f(id, n) WHERE j.id = f.id AND j.state = 'blocked'
                RETURNING j.queue, j.concurrency_key, j.priority, j.state, j.solo
            ), counted AS (
                INSERT INTO counter_delta (queue, blocked, scheduled, ready)
                SELECT queue, -count(*) FILTER (WHERE state <> 'blocked'), count(*) FILTER (WHERE state = 'scheduled'),
                    count(*) FILTER (WHERE state = 'ready')
                FROM up GROUP BY queue HAVING count(*) FILTER (WHERE state <> 'blocked') > 0
            )
            INSERT INTO lane_inbox SELECT queue, concurrency_key, max(priority) FROM up
            WHERE state = 'ready' AND concurrency_key IS NOT NULL AND NOT solo GROUP BY 1, 2;
        END IF;
        v_doomed := v_doomed || coalesce(v_more, '{}');
        v_ids := '{}';
        v_ok := false;
        IF v_lost IS NOT NULL THEN
            SELECT coalesce(o_parents, '{}') INTO v_ids FROM bury(v_lost, 'cancelled', v_reasons, p_by);
        END IF;
    END LOOP;
    RETURN v_doomed;
END $$;

CREATE FUNCTION {{schema}}.ask_to_stop(p_ids uuid[], p_reason text, p_by text) RETURNS integer LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_n integer;
BEGIN
    WITH asked AS (
        UPDATE job SET cancel_requested_at = clock_timestamp(), cancel_reason = p_reason, cancel_by = p_by
        WHERE id = ANY (p_ids) AND state = 'running' AND cancel_requested_at IS NULL RETURNING id, worker
    )
    SELECT count(pg_notify({{schema_literal}}, 'cancel:' || worker || ':' || id)) INTO v_n FROM asked;
    RETURN v_n;
END $$;

-- Cancels all members of workflows without waiting for anybody: the caller may hold rows already, in another order than
-- that of ids. Members that somebody holds are passed over; if a descendant outside the workflow is held, nothing is done.
-- maintain() comes back to workflows that are marked and not finished.
CREATE FUNCTION {{schema}}.cancel_members(p_workflows uuid[], p_reason text, p_by text) RETURNS integer LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_todo uuid[] := p_workflows;
    v_seen uuid[] := '{}';
    v_idle uuid[];
    v_busy uuid[];
    v_gone record;
    v_n integer := 0;
BEGIN
    BEGIN
        WHILE v_todo <> '{}' LOOP
            v_seen := v_seen || v_todo;
            SELECT array_agg(id) FILTER (WHERE state <> 'running'), array_agg(id) FILTER (WHERE state = 'running')
            INTO v_idle, v_busy
            FROM (SELECT id, state FROM job WHERE workflow = ANY (v_todo) ORDER BY id FOR UPDATE SKIP LOCKED) m;
            v_todo := '{}';
            IF v_idle IS NOT NULL THEN
                SELECT * INTO v_gone FROM bury(v_idle, 'cancelled', array_fill(p_reason, ARRAY[cardinality(v_idle)]), p_by);
                v_n := v_n + cardinality(v_idle);
                IF v_gone.o_parents IS NOT NULL THEN
                    SELECT coalesce(array_agg(DISTINCT d), '{}') INTO v_todo
                    FROM unnest(settle(v_gone.o_parents, false, p_by, false)) d WHERE d <> ALL (v_seen);
                END IF;
            END IF;
            IF v_busy IS NOT NULL THEN
                v_n := v_n + ask_to_stop(v_busy, p_reason, p_by);
            END IF;
        END LOOP;
    EXCEPTION WHEN lock_not_available THEN
        v_seen := p_workflows;
        v_n := 0;
    END;
    UPDATE workflow SET cancel_requested_at = clock_timestamp(), cancel_reason = p_reason, cancel_by = p_by
    WHERE id = ANY (v_seen) AND cancel_requested_at IS NULL;
    RETURN v_n;
END $$;

-- Ends locked jobs without success, with everything that follows from it.
CREATE FUNCTION {{schema}}.finish(p_ids uuid[], p_outcome {{schema}}.job_state, p_reason text, p_by text)
    RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_gone record;
    v_doomed uuid[];
BEGIN
    SELECT * INTO v_gone FROM bury(p_ids, p_outcome, array_fill(p_reason, ARRAY[cardinality(p_ids)]), p_by);
    IF v_gone.o_parents IS NOT NULL THEN
        v_doomed := settle(v_gone.o_parents, false, p_by);
        IF v_doomed <> '{}' THEN
            PERFORM cancel_members(v_doomed, 'a job that its workflow needs did not succeed', p_by);
        END IF;
    END IF;
    PERFORM vacate(v_gone.o_queues, v_gone.o_keys);
END $$;

-- At the commit of a transaction that made a job depend on an older one: if the parent is still there it is told that
-- it has children (and cannot finish before this commit), otherwise the child learns of its end now.
CREATE FUNCTION {{schema}}.join_parent() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_told boolean;
    v_state job_state;
    v_doomed uuid[];
BEGIN
    SELECT has_children INTO v_told FROM job WHERE id = NEW.parent FOR KEY SHARE;
    IF FOUND THEN
        IF NOT v_told THEN
            UPDATE job SET has_children = true WHERE id = NEW.parent;
        END IF;
    ELSE
        v_state := history_state(NEW.parent);
        v_doomed := settle(ARRAY[NEW.parent], coalesce(v_state = 'succeeded', false), 'kiln');
        IF v_doomed <> '{}' THEN
            PERFORM cancel_members(v_doomed, 'a job that its workflow needs did not succeed', 'kiln');
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER join_parent AFTER INSERT ON {{schema}}.job_edge DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.outside AND NOT NEW.done) EXECUTE FUNCTION {{schema}}.join_parent();

-- Jobs whose time has come.
CREATE FUNCTION {{schema}}.promote_due(p_now timestamptz, p_limit integer) RETURNS integer LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v_n integer;
BEGIN
    WITH due AS MATERIALIZED (
        SELECT id, state FROM job WHERE state IN ('scheduled', 'failed') AND run_at <= p_now
        ORDER BY run_at LIMIT p_limit FOR UPDATE SKIP LOCKED
    ), up AS (
        UPDATE job j SET state = 'ready', changed_at = p_now, changed_by = 'kiln',
            reason = CASE WHEN due.state = 'failed' THEN 'time for another attempt' ELSE 'its time has come' END
        FROM due WHERE j.id = due.id
        RETURNING j.queue, j.concurrency_key, j.priority, j.solo, due.state AS was
    ), counted AS (
        INSERT INTO counter_delta (queue, scheduled, ready, failed)
        SELECT queue, -count(*) FILTER (WHERE was = 'scheduled'), count(*), -count(*) FILTER (WHERE was = 'failed')
        FROM up GROUP BY queue
    ), laned AS (
        INSERT INTO lane_inbox SELECT queue, concurrency_key, max(priority) FROM up
        WHERE concurrency_key IS NOT NULL AND NOT solo GROUP BY 1, 2
    )
    SELECT count(*) INTO v_n FROM up;
    RETURN v_n;
END $$;
