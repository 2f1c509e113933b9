-- Waiting for the end of jobs and workflows. Those who wait write a row each; whatever ends a job looks whether there are
-- any and notifies only then, as a notification takes a lock of the whole database at its commit.

-- Unlogged: whoever waits asks again once a second, and writes a row that is gone anew.
CREATE UNLOGGED TABLE {{schema}}.job_waiter (
    -- A job or a workflow.
    subject uuid NOT NULL,
    -- The name of the channel, after "kiln:".
    waiter uuid NOT NULL,
    is_workflow boolean NOT NULL,
    expires_at timestamptz NOT NULL,
    created_by name NOT NULL DEFAULT session_user,
    PRIMARY KEY (subject, waiter)
) WITH (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX job_waiter_workflow ON {{schema}}.job_waiter (subject) WHERE is_workflow;

-- Tells those who wait for jobs that have just been moved to the history, and for workflows that are over or nearly so:
-- of the last jobs of one, which may end at the same time, none sees the others gone.
CREATE FUNCTION {{schema}}.announce(p_ids uuid[]) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
BEGIN
    PERFORM pg_notify('kiln:' || w.waiter, w.subject::text) FROM job_waiter w WHERE w.subject = ANY (p_ids);
    IF EXISTS (SELECT FROM job_waiter w WHERE w.is_workflow) THEN
        -- They have finished since this transaction began: older partitions are left out.
        PERFORM pg_notify('kiln:' || w.waiter, w.subject::text)
        FROM (SELECT DISTINCT h.workflow FROM job_history h
              WHERE h.id = ANY (p_ids) AND h.finished_at >= now() AND h.workflow IS NOT NULL) f
        JOIN job_waiter w ON w.subject = f.workflow AND w.is_workflow
        WHERE (SELECT count(*) FROM (SELECT FROM job j WHERE j.workflow = f.workflow LIMIT 17) unfinished) <= 16;
    END IF;
END $$;

CREATE FUNCTION {{schema}}.watch(ids uuid[], waiter uuid, keep interval DEFAULT '1 minute') RETURNS TABLE (id uuid, state text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_waiter uuid := watch.waiter;
    v_now timestamptz := clock_timestamp();
    v_all boolean := privileged('{reader,worker}');
BEGIN
    IF v_waiter IS NULL THEN
        PERFORM invalid('watch', 'waiter', NULL, 'a notification needs a channel', 'Give a UUID of your own, and LISTEN on "kiln:" with it.');
    ELSIF keep IS NULL OR keep < interval '1 second' OR keep > interval '1 hour' THEN
        PERFORM invalid('watch', 'keep', keep::text, 'it must be a second to an hour', 'Watch again before it is over.');
    END IF;
    INSERT INTO job_waiter AS w (subject, waiter, is_workflow, expires_at)
    SELECT s.id, v_waiter, s.is_workflow, v_now + keep FROM (
        SELECT j.id, false AS is_workflow FROM (SELECT DISTINCT i FROM unnest(ids) i) a JOIN job j ON j.id = a.i
        WHERE v_all OR j.created_by = session_user
        UNION ALL
        SELECT f.id, true FROM (SELECT DISTINCT i FROM unnest(ids) i) a JOIN workflow f ON f.id = a.i
        WHERE f.finished_at IS NULL AND (v_all OR f.created_by = session_user)) s
    WHERE NOT EXISTS (SELECT FROM job_waiter k WHERE k.subject = s.id AND k.waiter = v_waiter AND k.expires_at > v_now + keep / 2)
    ORDER BY s.id
    ON CONFLICT (subject, waiter) DO UPDATE SET expires_at = excluded.expires_at WHERE w.created_by = session_user;
    RETURN QUERY SELECT a.i, CASE WHEN v_all OR x.created_by = session_user THEN x.state END
    FROM (SELECT DISTINCT i FROM unnest(ids) i) a LEFT JOIN LATERAL (
        SELECT j.state::text, j.created_by, false AS is_over FROM job j WHERE j.id = a.i
        UNION ALL SELECT h.outcome::text, h.created_by, true FROM job_history h WHERE h.id = a.i
        UNION ALL SELECT p.status, p.created_by, p.status NOT IN ('running', 'cancelling') FROM pipeline_runs p WHERE p.workflow = a.i
        LIMIT 1) x ON true
    WHERE x.is_over IS DISTINCT FROM false OR NOT (v_all OR x.created_by = session_user);
END $$;
COMMENT ON FUNCTION {{schema}}.watch IS 'Asks for a notification on the channel "kiln:WAITER", with the id, at the end of jobs and workflows. Returns those that are over, and with a NULL those that are not there for the caller. What ends just now may notify nobody: ask again after some milliseconds and then once a second, which also keeps the rows from expiring.';

CREATE FUNCTION {{schema}}.unwatch(ids uuid[], waiter uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
BEGIN
    DELETE FROM job_waiter w WHERE w.subject = ANY (unwatch.ids) AND w.waiter = unwatch.waiter AND w.created_by = session_user;
END $$;
COMMENT ON FUNCTION {{schema}}.unwatch IS 'Takes back what watch asked for.';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA {{schema}} FROM PUBLIC;
