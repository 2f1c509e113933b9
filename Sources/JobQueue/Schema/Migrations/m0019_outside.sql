-- What reaches beyond the database: effects that an attempt has begun elsewhere, names elsewhere that jobs have taken, and
-- messages about jobs, which are jobs themselves.

-- Effects: whoever begins something outside that outlives a crash notes it here first, under its fence.
CREATE TABLE {{schema}}.effect (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job uuid NOT NULL,
    token bigint NOT NULL,
    -- What it is in, and what it is called there; the reference is whatever undoing it takes.
    place text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    reference text,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz
) WITH (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX effect_name ON {{schema}}.effect (place, name);

-- Names outside, each of which belongs to one job.
CREATE TABLE {{schema}}.outside_name (
    place text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    job uuid NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When it was last seen to be in use.
    looked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (place, name)
) WITH (fillfactor = 80, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX outside_name_looked ON {{schema}}.outside_name (looked_at);

CREATE FUNCTION {{schema}}.worker_holds(p_id uuid, p_token bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
    SELECT EXISTS (SELECT FROM job WHERE id = p_id AND lease_token = p_token AND state = 'running')
$$;
COMMENT ON FUNCTION {{schema}}.worker_holds IS 'Whether a job still runs under the token of that claim.';

CREATE FUNCTION {{schema}}.worker_effect_begin(p_id uuid, p_token bigint, p_place text, p_name text) RETURNS uuid LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_effect uuid;
BEGIN
    IF worker_holds(p_id, p_token) THEN
        INSERT INTO effect (job, token, place, name) VALUES (p_id, p_token, p_place, p_name) RETURNING id INTO v_effect;
    END IF;
    RETURN v_effect;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_effect_begin IS 'Notes that an attempt is about to begin something outside the database; NULL if the job is no longer its own.';

CREATE FUNCTION {{schema}}.worker_effect_note(p_effect uuid, p_reference text) RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    UPDATE effect SET reference = p_reference WHERE id = p_effect;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_effect_note IS 'Notes what undoing an effect takes.';

CREATE FUNCTION {{schema}}.worker_effect_end(p_effect uuid) RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    DELETE FROM effect WHERE id = p_effect;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_effect_end IS 'Forgets an effect: it is complete, or undone.';

-- Marked as seen, so that several sweepers share them and one that cannot be undone does not keep the others waiting.
CREATE FUNCTION {{schema}}.worker_effects_abandoned(p_limit integer, p_again interval DEFAULT '30 seconds') RETURNS SETOF {{schema}}.effect
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    RETURN QUERY UPDATE effect SET seen_at = clock_timestamp() WHERE id IN (
        SELECT e.id FROM effect e
        WHERE NOT EXISTS (SELECT FROM job j WHERE j.id = e.job AND j.lease_token = e.token AND j.state = 'running')
            AND (e.seen_at IS NULL OR e.seen_at <= clock_timestamp() - p_again)
        ORDER BY e.seen_at NULLS FIRST, e.begun_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
    RETURNING *;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_effects_abandoned IS 'Effects whose attempt is over, or has lost its job to another; none that this has returned less than p_again ago.';

CREATE FUNCTION {{schema}}.worker_effects_live(p_place text, p_name text) RETURNS SETOF {{schema}}.effect LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
    SELECT e.* FROM effect e JOIN job j ON j.id = e.job AND j.lease_token = e.token AND j.state = 'running'
    WHERE e.place = p_place AND e.name = p_name
$$;
COMMENT ON FUNCTION {{schema}}.worker_effects_live IS 'The effects under a name whose attempts still hold their jobs.';

CREATE FUNCTION {{schema}}.worker_owns_name(p_id uuid, p_place text, p_name text) RETURNS boolean LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
    SELECT EXISTS (SELECT FROM outside_name WHERE place = p_place AND name = p_name AND job = p_id)
$$;
COMMENT ON FUNCTION {{schema}}.worker_owns_name IS 'Whether a job has taken a name outside, by this or an earlier attempt.';

-- A name stays with a job that is unfinished or has succeeded; p_replace takes it from one that has finished.
CREATE FUNCTION {{schema}}.worker_take_name(p_id uuid, p_token bigint, p_place text, p_name text, p_replace boolean)
    RETURNS TABLE (outcome text, owner uuid) LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_owner uuid;
BEGIN
    IF NOT worker_holds(p_id, p_token) THEN
        RETURN QUERY SELECT 'fenced', NULL::uuid;
        RETURN;
    END IF;
    LOOP
        INSERT INTO outside_name (place, name, job) VALUES (p_place, p_name, p_id) ON CONFLICT DO NOTHING;
        EXIT WHEN FOUND;
        SELECT n.job INTO v_owner FROM outside_name n WHERE n.place = p_place AND n.name = p_name FOR UPDATE;
        -- It was forgotten in between, and may be taken.
        CONTINUE WHEN NOT FOUND;
        IF v_owner <> p_id AND (EXISTS (SELECT FROM job j WHERE j.id = v_owner)
            OR NOT p_replace AND history_state(v_owner) = 'succeeded') THEN
            RETURN QUERY SELECT 'refused', v_owner;
            RETURN;
        END IF;
        UPDATE outside_name n SET job = p_id, taken_at = clock_timestamp(), looked_at = clock_timestamp()
        WHERE n.place = p_place AND n.name = p_name;
        EXIT;
    END LOOP;
    RETURN QUERY SELECT 'taken', p_id;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_take_name IS 'Takes a name outside for a job: taken, refused (with the job that has it), or fenced.';

-- Each name is looked at once a day, by whichever sweeper comes first: what that costs does not grow with the sweepers.
CREATE FUNCTION {{schema}}.worker_forget_names(p_limit integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_name record;
    v_n integer := 0;
BEGIN
    FOR v_name IN SELECT n.place, n.name, n.job FROM outside_name n WHERE n.looked_at < clock_timestamp() - interval '1 day'
        ORDER BY n.looked_at LIMIT p_limit FOR UPDATE SKIP LOCKED
    LOOP
        IF EXISTS (SELECT FROM job j WHERE j.id = v_name.job) OR history_state(v_name.job) IS NOT NULL THEN
            UPDATE outside_name n SET looked_at = clock_timestamp() WHERE n.place = v_name.place AND n.name = v_name.name;
        ELSE
            DELETE FROM outside_name n WHERE n.place = v_name.place AND n.name = v_name.name;
        END IF;
        v_n := v_n + 1;
    END LOOP;
    RETURN v_n;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_forget_names IS 'Looks at names that none has looked at for a day, and forgets those of jobs that are forgotten themselves; returns how many it looked at.';

-- Webhooks: a job whose payload has the key "webhook" (a URL, or {"url", "events"}) makes a job of the kind webhook.deliver
-- when it starts and when it ends, in that very transaction: by whomever and for whatever reason it ends, the message is
-- there if and only if the end is. Nothing in here may raise, as a job must be able to end.
-- Messages by the job that they are about.
CREATE INDEX job_webhook ON {{schema}}.job ((metadata ->> 'job')) WHERE kind = 'webhook.deliver';
CREATE INDEX job_history_webhook ON {{schema}}.job_history ((metadata ->> 'job')) WHERE kind = 'webhook.deliver';

CREATE FUNCTION {{schema}}.enqueue_webhook(p_id uuid, p_kind text, p_state text, p_at timestamptz, p_payload jsonb, p_metadata jsonb,
    p_attempt integer, p_created_at timestamptz, p_creator name, p_once boolean, p_more jsonb) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    v_hook jsonb := p_payload -> 'webhook';
    v_events jsonb := nullif(v_hook -> 'events', 'null');
    v_url jsonb := CASE jsonb_typeof(v_hook) WHEN 'object' THEN v_hook -> 'url' ELSE v_hook END;
    v_type text := 'job.' || p_state;
    v_form text := 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"';
BEGIN
    IF jsonb_typeof(v_url) IS DISTINCT FROM 'string' OR v_events IS NOT NULL AND NOT v_events ? p_state THEN
        RETURN;
    END IF;
    PERFORM enqueue_as(jsonb_build_array(jsonb_build_object(
        'kind', 'webhook.deliver',
        -- As the kind has them, which no worker need have registered yet.
        'max_attempts', 15, 'cores', 0.05, 'memory', 4194304,
        'metadata', jsonb_build_object('job', p_id, 'event', p_state),
        'unique_key', CASE WHEN p_once THEN p_id || ' ' || p_state END,
        'unique_period', CASE WHEN p_once THEN '7 days' END,
        'payload', jsonb_build_object('url', v_url, 'event', v_type, 'body', jsonb_build_object(
            'type', v_type, 'timestamp', to_char(p_at, v_form),
            'data', jsonb_build_object('jobId', p_id, 'kind', p_kind, 'status', p_state, 'attempt', p_attempt,
                'createdAt', to_char(p_created_at, v_form),
                'metadata', coalesce(nullif(p_payload -> 'metadata', 'null'), p_metadata)) || p_more)))),
        p_creator, NULL, 'webhook');
END $$;

CREATE FUNCTION {{schema}}.webhook_of_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    PERFORM enqueue_webhook(NEW.id, NEW.kind,
        CASE NEW.outcome WHEN 'succeeded' THEN 'completed' WHEN 'dead' THEN 'failed' ELSE 'cancelled' END,
        NEW.finished_at, NEW.payload, NEW.metadata, NEW.attempt, NEW.created_at, NEW.created_by, false,
        CASE NEW.outcome WHEN 'succeeded' THEN jsonb_build_object('result', NEW.result)
            WHEN 'dead' THEN jsonb_build_object('error', coalesce(NEW.errors -> -1 -> 'error', jsonb_build_object('message', NEW.reason)))
            ELSE jsonb_build_object('reason', NEW.reason) END);
    RETURN NULL;
END $$;
-- Rows that drop_partitions moves had finished before. No clock tells them apart, as it may go back.
CREATE TRIGGER webhook_of_end AFTER INSERT ON {{schema}}.job_history FOR EACH ROW
    WHEN (NEW.payload ? 'webhook' AND to_regclass('pg_temp.kiln_needed') IS NULL) EXECUTE FUNCTION {{schema}}.webhook_of_end();

CREATE FUNCTION {{schema}}.worker_webhook_started(p_id uuid, p_token bigint) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_job record;
BEGIN
    SELECT kind, payload, metadata, attempt, created_at, created_by INTO v_job FROM job
    WHERE id = p_id AND lease_token = p_token AND state = 'running' FOR SHARE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM enqueue_webhook(p_id, v_job.kind, 'started', clock_timestamp(), v_job.payload, v_job.metadata, v_job.attempt,
        v_job.created_at, v_job.created_by, true, '{}');
    RETURN true;
END $$;
COMMENT ON FUNCTION {{schema}}.worker_webhook_started IS 'Enqueues the webhook that says that a job has started, once for all its attempts; false if the job is no longer run under that token.';
