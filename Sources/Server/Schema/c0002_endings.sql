-- How a run ends where its worker does not write it: the job was cancelled, timed out, was given up, or took its worker
-- with it. Whoever ends a job moves it to the queue's history; a trigger there ends its run in the same transaction. What
-- that cannot do, as somebody holds the row, close_runs does a little later.

ALTER TABLE {{schema}}.run DROP CONSTRAINT run_status_check;
ALTER TABLE {{schema}}.run ADD CONSTRAINT run_status_check CHECK (status IN ('running', 'completed', 'failed', 'cancelled'));
CREATE INDEX run_open ON {{schema}}.run (started_at) WHERE status = 'running';

-- What the last attempt that did not succeed said.
CREATE FUNCTION {{schema}}.run_error(p_state text, p_reason text, p_errors jsonb) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN p_state = 'cancelled' THEN CASE WHEN p_reason LIKE 'cancelled%' THEN p_reason ELSE 'cancelled' || coalesce(': ' || p_reason, '') END
        WHEN p_state IN ('failed', 'dead') THEN coalesce(p_errors -> -1 -> 'error' ->> 'message', p_reason, 'its job has failed')
        WHEN p_state IS NULL THEN 'the queue has forgotten its job' END
$$;

-- Ends the run of a job that is in that state, with what is the recording's and the call's, unless it has ended. A row
-- that somebody holds is not waited for: 55P03.
CREATE FUNCTION {{schema}}.end_run(p_job uuid, p_state text, p_reason text, p_errors jsonb) RETURNS boolean LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    v_error text := run_error(p_state, p_reason, p_errors);
    v_recording uuid;
    v_call uuid;
BEGIN
    SELECT u.recording_id INTO v_recording FROM run u WHERE u.job_id = p_job AND u.status = 'running';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- The order of locks that everybody keeps: recording, call.
    PERFORM FROM recordings r WHERE r.id = v_recording FOR UPDATE;
    UPDATE run u SET status = CASE p_state WHEN 'succeeded' THEN 'completed' WHEN 'cancelled' THEN 'cancelled' ELSE 'failed' END,
        error = v_error, finished_at = clock_timestamp()
    WHERE u.job_id = p_job AND u.recording_id = v_recording AND u.status = 'running';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- Unless another job has taken the recording over. To cancel another run of one that is done takes nothing from it.
    UPDATE recordings r SET status = CASE p_state WHEN 'succeeded' THEN 'completed' ELSE 'failed' END, error = v_error,
        waiting_since = NULL, updated_at = clock_timestamp()
    WHERE r.id = v_recording AND r.run_job = p_job AND r.status <> 'absent'
        AND NOT (r.status = 'completed' AND p_state IN ('cancelled', 'succeeded')) RETURNING r.call_id INTO v_call;
    UPDATE calls c SET status = CASE p_state WHEN 'succeeded' THEN 'completed' ELSE 'failed' END, error = v_error,
        updated_at = clock_timestamp()
    WHERE c.id = v_call;
    RETURN true;
END $$;
COMMENT ON FUNCTION {{schema}}.end_run IS 'Ends the run of a job, with its recording and call, unless it has ended.';

CREATE FUNCTION {{schema}}.end_of_job() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    PERFORM end_run(NEW.id, NEW.outcome::text, NEW.reason, NEW.errors);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    -- A job must be able to end.
    RAISE LOG 'the run of job % is left for close_runs: %', NEW.id, SQLERRM;
    RETURN NULL;
END $$;
CREATE TRIGGER end_of_call_recording AFTER INSERT ON {{queue}}.job_history FOR EACH ROW
    WHEN (NEW.kind = 'pipeline.call_recording') EXECUTE FUNCTION {{schema}}.end_of_job();

-- Runs whose jobs are over, or wait for another attempt. Those whose rows somebody holds are left for the next time.
CREATE FUNCTION {{schema}}.close_runs(p_limit integer DEFAULT 100) RETURNS integer LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_run record;
    v_job record;
    v_n integer := 0;
BEGIN
    FOR v_run IN SELECT u.job_id, u.recording_id FROM run u LEFT JOIN LATERAL run_state(u.job_id) j ON true
        WHERE u.status = 'running' AND (j.state IS NULL OR j.state IN ('failed', 'succeeded', 'dead', 'cancelled'))
        ORDER BY u.started_at LIMIT p_limit
    LOOP
        PERFORM FROM recordings r WHERE r.id = v_run.recording_id FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        -- Once more, as nobody begins an attempt on it now: that takes this row.
        SELECT j.state, j.reason, j.errors INTO v_job FROM (SELECT) one LEFT JOIN LATERAL run_state(v_run.job_id) j ON true;
        CONTINUE WHEN v_job.state NOT IN ('failed', 'succeeded', 'dead', 'cancelled');
        BEGIN
            v_n := v_n + end_run(v_run.job_id, v_job.state, v_job.reason, v_job.errors)::integer;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            NULL;
        END;
    END LOOP;
    RETURN v_n;
END $$;
COMMENT ON FUNCTION {{schema}}.close_runs IS 'Ends runs that nobody else has ended though their jobs are over; returns how many.';

CREATE OR REPLACE VIEW {{schema}}.pipeline_runs AS
    SELECT r.recording_sid, u.job_id, c.call_sid, r.account_sid,
        CASE j.state WHEN 'running' THEN 'running' WHEN 'succeeded' THEN 'completed' WHEN 'dead' THEN 'failed'
            WHEN 'failed' THEN 'failed' WHEN 'cancelled' THEN 'cancelled' ELSE CASE WHEN j.state IS NULL THEN u.status ELSE 'waiting' END
        END AS status,
        s.name AS current_step, j.attempt, j.max_attempts,
        CASE WHEN j.state IS NULL THEN u.error ELSE {{schema}}.run_error(j.state, j.reason, j.errors) END AS error,
        u.started_at, coalesce(j.finished_at, CASE WHEN j.state IS NULL THEN u.finished_at END) AS finished_at,
        u.recording_id
    FROM {{schema}}.run u JOIN {{schema}}.recordings r ON r.id = u.recording_id JOIN {{schema}}.calls c ON c.id = r.call_id
        LEFT JOIN LATERAL {{schema}}.run_state(u.job_id) j ON true
        LEFT JOIN LATERAL (SELECT x.name FROM {{schema}}.run_steps(u.job_id) x ORDER BY x.seq DESC LIMIT 1) s ON true;

-- A step that its attempt has not ended has failed with it.
CREATE OR REPLACE VIEW {{schema}}.pipeline_steps AS
    SELECT r.recording_sid, u.job_id, s.seq, s.name AS step,
        CASE s.status WHEN 'succeeded' THEN 'completed'
            WHEN 'running' THEN CASE WHEN j.state = 'running' THEN 'running' WHEN j.state IN ('failed', 'dead', 'cancelled') THEN 'failed'
                ELSE 'waiting' END ELSE s.status END AS status,
        s.attempt, s.meta,
        CASE WHEN s.status = 'running' THEN {{schema}}.run_error(j.state, j.reason, j.errors) ELSE s.error ->> 'message' END AS error,
        s.started_at, coalesce(s.finished_at, CASE WHEN s.status = 'running' THEN j.finished_at END) AS finished_at, u.recording_id
    FROM {{schema}}.run u JOIN {{schema}}.recordings r ON r.id = u.recording_id
        CROSS JOIN LATERAL {{schema}}.run_steps(u.job_id) s
        LEFT JOIN LATERAL {{schema}}.run_state(u.job_id) j ON true;

-- As before, but that the recording is locked before its call: everybody else does so. A call without a SID that its
-- recording leaves for the one that it turns out to be of goes.
CREATE OR REPLACE FUNCTION {{schema}}.note_recording(p_recording_sid text, p_account_sid text, p_call_sid text DEFAULT NULL,
    p_url text DEFAULT NULL, p_from text DEFAULT NULL, p_to text DEFAULT NULL, p_duration double precision DEFAULT NULL,
    p_channels integer DEFAULT NULL) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_recording uuid;
    v_call uuid;
    v_before uuid;
BEGIN
    -- One at a time for a recording, so that one without a call gets one row in calls.
    PERFORM pg_advisory_xact_lock(hashtextextended('kiln recording ' || p_recording_sid, 0));
    SELECT r.id, r.call_id INTO v_recording, v_call FROM recordings r WHERE r.recording_sid = p_recording_sid FOR UPDATE;
    v_before := v_call;
    IF p_call_sid IS NOT NULL THEN
        UPDATE calls c SET call_sid = p_call_sid WHERE c.id = v_call AND c.call_sid IS NULL
            AND NOT EXISTS (SELECT FROM calls o WHERE o.call_sid = p_call_sid);
        INSERT INTO calls AS c (call_sid, account_sid, from_number, to_number, duration)
        VALUES (p_call_sid, p_account_sid, p_from, p_to, p_duration)
        ON CONFLICT (call_sid) DO UPDATE SET from_number = coalesce(excluded.from_number, c.from_number),
            to_number = coalesce(excluded.to_number, c.to_number), duration = coalesce(excluded.duration, c.duration)
        RETURNING c.id INTO v_call;
    ELSIF v_call IS NULL THEN
        INSERT INTO calls AS c (account_sid, from_number, to_number, duration)
        VALUES (p_account_sid, p_from, p_to, p_duration) RETURNING c.id INTO v_call;
    ELSE
        UPDATE calls c SET from_number = coalesce(p_from, c.from_number), to_number = coalesce(p_to, c.to_number),
            duration = coalesce(p_duration, c.duration) WHERE c.id = v_call;
    END IF;
    INSERT INTO recordings AS r (recording_sid, call_id, account_sid, recording_url, duration, channels)
    VALUES (p_recording_sid, v_call, p_account_sid, p_url, p_duration, p_channels)
    ON CONFLICT (recording_sid) DO UPDATE SET call_id = excluded.call_id,
        recording_url = coalesce(excluded.recording_url, r.recording_url),
        duration = coalesce(excluded.duration, r.duration), channels = coalesce(r.channels, excluded.channels)
    RETURNING r.id INTO v_recording;
    IF v_before <> v_call THEN
        DELETE FROM calls c WHERE c.id = v_before AND c.call_sid IS NULL
            AND NOT EXISTS (SELECT FROM recordings r WHERE r.call_id = c.id);
    END IF;
    RETURN v_recording;
END $$;
