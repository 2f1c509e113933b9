-- Calls, and what became of their recordings. Apps read these tables; workers and the API write them.

CREATE TABLE {{schema}}.calls (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- NULL for a recording that came without its call.
    call_sid text COLLATE "C" UNIQUE,
    account_sid text NOT NULL,
    from_number text,
    to_number text,
    -- Seconds.
    duration double precision,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    -- Why it failed, as long as it has.
    error text,
    -- The first words.
    preview text,
    summary text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX calls_created ON {{schema}}.calls (created_at);
COMMENT ON TABLE {{schema}}.calls IS 'Telephone calls, each with the state of its latest recording.';

CREATE TABLE {{schema}}.recordings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    recording_sid text COLLATE "C" NOT NULL UNIQUE,
    call_id uuid NOT NULL REFERENCES {{schema}}.calls ON DELETE CASCADE,
    account_sid text NOT NULL,
    -- Where Twilio has it.
    recording_url text,
    -- Seconds, as Twilio says it.
    duration double precision,
    channels integer,
    -- Where the copy is: a location in the object store.
    local_path text,
    content_type text,
    -- Bytes.
    size bigint,
    downloaded_at timestamptz,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'processing', 'downloaded', 'transcribed', 'completed', 'failed', 'absent')),
    error text,
    -- Since when Twilio has been waited for.
    waiting_since timestamptz,
    -- The attempt that may write: the job, and the token of its claim.
    run_job uuid,
    run_token bigint,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX recordings_call ON {{schema}}.recordings (call_id);
COMMENT ON TABLE {{schema}}.recordings IS 'Recordings of calls. local_path is a location in the object store.';

CREATE TABLE {{schema}}.transcripts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    recording_id uuid NOT NULL UNIQUE REFERENCES {{schema}}.recordings ON DELETE CASCADE,
    -- The words; where speakers are known, a line for each turn: "Caller: …".
    content text NOT NULL,
    -- With times of segments and words.
    raw_json jsonb NOT NULL,
    engine text,
    quality text,
    language text,
    -- Seconds of the recording.
    duration double precision,
    -- Seconds that were recognised, and US dollars.
    audio_seconds double precision,
    cost double precision,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE {{schema}}.transcripts IS 'What was said, one row a recording.';

CREATE TABLE {{schema}}.insights (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    recording_id uuid NOT NULL UNIQUE REFERENCES {{schema}}.recordings ON DELETE CASCADE,
    content jsonb NOT NULL,
    -- What wrote it.
    engine text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE {{schema}}.insights IS 'What was made of the transcript, one row a recording.';

-- Which jobs worked on which recording. Their states are the queue's; once it has forgotten a job, the last one stays here.
CREATE TABLE {{schema}}.run (
    recording_id uuid NOT NULL REFERENCES {{schema}}.recordings ON DELETE CASCADE,
    job_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'failed')),
    error text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (recording_id, job_id)
);
CREATE INDEX run_job ON {{schema}}.run (job_id);

-- Who may look at calls need not be allowed to look at the queue. Text, so that the queue's own migrations are free to
-- replace what these look at.
CREATE FUNCTION {{schema}}.run_state(p_job uuid) RETURNS TABLE (state text, attempt integer, max_attempts integer,
    reason text, errors jsonb, finished_at timestamptz) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
    SELECT j.state::text, j.attempt, j.max_attempts, j.reason, j.errors, j.finished_at FROM {{queue}}.jobs j WHERE j.id = p_job LIMIT 1
$$;
CREATE FUNCTION {{schema}}.run_steps(p_job uuid) RETURNS TABLE (name text, seq integer, status text, attempt integer,
    started_at timestamptz, finished_at timestamptz, meta jsonb, error jsonb) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.name, s.seq, s.status, s.attempt, s.started_at, s.finished_at, coalesce(s.metadata, s.result), s.error
    FROM {{queue}}.worker_steps(p_job) s
$$;

CREATE VIEW {{schema}}.pipeline_runs AS
    SELECT r.recording_sid, u.job_id, c.call_sid, r.account_sid,
        CASE j.state WHEN 'running' THEN 'running' WHEN 'succeeded' THEN 'completed' WHEN 'dead' THEN 'failed'
            WHEN 'failed' THEN 'failed' WHEN 'cancelled' THEN 'cancelled' ELSE CASE WHEN j.state IS NULL THEN u.status ELSE 'waiting' END
        END AS status,
        s.name AS current_step, j.attempt, j.max_attempts,
        CASE WHEN j.state IN ('failed', 'dead') THEN coalesce(j.errors -> -1 ->> 'message', u.error)
            WHEN j.state = 'cancelled' THEN j.reason WHEN j.state IS NULL THEN u.error END AS error,
        u.started_at, coalesce(j.finished_at, CASE WHEN j.state IS NULL THEN u.finished_at END) AS finished_at,
        u.recording_id
    FROM {{schema}}.run u JOIN {{schema}}.recordings r ON r.id = u.recording_id JOIN {{schema}}.calls c ON c.id = r.call_id
        LEFT JOIN LATERAL {{schema}}.run_state(u.job_id) j ON true
        LEFT JOIN LATERAL (SELECT x.name FROM {{schema}}.run_steps(u.job_id) x ORDER BY x.seq DESC LIMIT 1) s ON true;
COMMENT ON VIEW {{schema}}.pipeline_runs IS 'One row for each recording and job that worked on it.';

CREATE VIEW {{schema}}.pipeline_steps AS
    SELECT r.recording_sid, u.job_id, s.seq, s.name AS step,
        CASE s.status WHEN 'succeeded' THEN 'completed'
            WHEN 'running' THEN CASE WHEN j.state = 'running' THEN 'running' ELSE 'waiting' END ELSE s.status END AS status,
        s.attempt, s.meta, s.error ->> 'message' AS error, s.started_at, s.finished_at, u.recording_id
    FROM {{schema}}.run u JOIN {{schema}}.recordings r ON r.id = u.recording_id
        CROSS JOIN LATERAL {{schema}}.run_steps(u.job_id) s
        LEFT JOIN LATERAL {{schema}}.run_state(u.job_id) j ON true;
COMMENT ON VIEW {{schema}}.pipeline_steps IS 'The steps of each run, with what they came to.';

-- The row of a recording, made if it is not there. What is NULL leaves what is known.
CREATE FUNCTION {{schema}}.note_recording(p_recording_sid text, p_account_sid text, p_call_sid text DEFAULT NULL,
    p_url text DEFAULT NULL, p_from text DEFAULT NULL, p_to text DEFAULT NULL, p_duration double precision DEFAULT NULL,
    p_channels integer DEFAULT NULL) RETURNS uuid LANGUAGE plpgsql SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_recording uuid;
    v_call uuid;
BEGIN
    -- One at a time for a recording, so that one without a call gets one row in calls.
    PERFORM pg_advisory_xact_lock(hashtextextended('kiln recording ' || p_recording_sid, 0));
    SELECT r.id, r.call_id INTO v_recording, v_call FROM recordings r WHERE r.recording_sid = p_recording_sid;
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
    RETURN v_recording;
END $$;
COMMENT ON FUNCTION {{schema}}.note_recording IS 'The id of a recording, which is written down with its call if it is new.';

-- What Twilio says of a recording that there will not be: it changes nothing about one that is here.
CREATE FUNCTION {{schema}}.note_absent(p_recording_sid text, p_account_sid text, p_call_sid text, p_status text, p_error text)
    RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_recording uuid := note_recording(p_recording_sid, p_account_sid, p_call_sid);
    v_call uuid;
BEGIN
    UPDATE recordings r SET status = p_status, error = p_error, updated_at = clock_timestamp()
    WHERE r.id = v_recording AND r.downloaded_at IS NULL RETURNING r.call_id INTO v_call;
    UPDATE calls c SET status = 'failed', error = p_error, updated_at = clock_timestamp()
    WHERE c.id = v_call AND c.status <> 'completed';
    RETURN v_call IS NOT NULL;
END $$;
COMMENT ON FUNCTION {{schema}}.note_absent IS 'Writes down that a recording is absent or failed at Twilio, unless it was downloaded.';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA {{schema}} FROM PUBLIC;
