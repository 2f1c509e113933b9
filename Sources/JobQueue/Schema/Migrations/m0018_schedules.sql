-- Schedules. The text of a cron line is checked here; workers compute its ticks.

CREATE FUNCTION {{schema}}.check_cron(p_where text, p_cron text) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_fields text[] := regexp_split_to_array(btrim(lower(coalesce(p_cron, ''))), '\s+');
    v_names text[] := '{second,minute,hour,"day of month",month,"day of week"}';
    v_low integer[] := '{0,0,0,1,1,0}';
    v_high integer[] := '{59,59,23,31,12,7}';
    v_words text[];
    v_part text;
    v_m text[];
    v_a integer;
    v_b integer;
    f integer;
    v_hint text := 'Five fields (minute hour day month weekday), or six with seconds first; *, 1,2, 1-5, */10, mon-fri, jan; or @hourly, @daily, @weekly, @monthly, @yearly.';
BEGIN
    IF v_fields[1] LIKE '@%' THEN
        IF cardinality(v_fields) <> 1 OR v_fields[1] NOT IN ('@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually') THEN
            PERFORM invalid(p_where, 'cron', p_cron, 'there is no such shorthand', v_hint);
        END IF;
        RETURN;
    ELSIF cardinality(v_fields) NOT IN (5, 6) THEN
        PERFORM invalid(p_where, 'cron', p_cron, 'it has ' || CASE WHEN v_fields = '{""}' THEN 0 ELSE cardinality(v_fields) END || ' fields', v_hint);
    END IF;
    IF cardinality(v_fields) = 5 THEN
        v_fields := '0'::text || v_fields;
    END IF;
    FOR f IN 1 .. 6 LOOP
        v_words := CASE f WHEN 5 THEN '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}'::text[]
                          WHEN 6 THEN '{sun,mon,tue,wed,thu,fri,sat}'::text[] ELSE '{}'::text[] END;
        FOREACH v_part IN ARRAY string_to_array(v_fields[f], ',') LOOP
            v_m := regexp_match(v_part, '^(?:(\*)|([0-9]{1,3}|[a-z]{3})(?:-([0-9]{1,3}|[a-z]{3}))?)(?:/([0-9]{1,3}))?$');
            IF v_m IS NULL THEN
                PERFORM invalid(p_where, 'cron', p_cron, 'its field ' || v_names[f] || ' cannot be read: "' || left(v_part, 60) || '"', v_hint);
            END IF;
            v_a := CASE WHEN v_m[2] ~ '^[0-9]' THEN v_m[2]::integer ELSE array_position(v_words, v_m[2]) - 1 + v_low[f] END;
            v_b := CASE WHEN v_m[3] ~ '^[0-9]' THEN v_m[3]::integer ELSE array_position(v_words, v_m[3]) - 1 + v_low[f] END;
            IF v_m[2] IS NOT NULL AND v_a IS NULL OR v_m[3] IS NOT NULL AND v_b IS NULL THEN
                PERFORM invalid(p_where, 'cron', p_cron, 'its field ' || v_names[f] || ' knows no name "' || left(v_part, 60) || '"', v_hint);
            ELSIF v_a NOT BETWEEN v_low[f] AND v_high[f] OR v_b NOT BETWEEN v_low[f] AND v_high[f] THEN
                PERFORM invalid(p_where, 'cron', p_cron, format('its field %s must be %s to %s, not "%s"', v_names[f], v_low[f], v_high[f], v_part), v_hint);
            ELSIF v_b < v_a AND NOT (f = 6 AND v_b = 0) THEN
                PERFORM invalid(p_where, 'cron', p_cron, 'its field ' || v_names[f] || ' has a range that runs backwards: "' || v_part || '"', v_hint);
            ELSIF v_m[4]::integer = 0 THEN
                PERFORM invalid(p_where, 'cron', p_cron, 'its field ' || v_names[f] || ' has a step of 0', v_hint);
            END IF;
        END LOOP;
    END LOOP;
    -- A day that no month has would never come.
    IF v_fields[4] ~ '^(30|31)$' AND v_fields[5] ~ '^(2|02|feb)$' AND v_fields[6] = '*'
       OR v_fields[4] ~ '^31$' AND v_fields[5] ~ '^((4|04|apr|6|06|jun|9|09|sep|11|nov)(,|$))+$' AND v_fields[6] = '*' THEN
        PERFORM invalid(p_where, 'cron', p_cron, 'there is no such day in these months', v_hint);
    END IF;
END $$;

CREATE FUNCTION {{schema}}.schedule(name text, cron text, timezone text DEFAULT 'UTC', kind text DEFAULT NULL, payload jsonb DEFAULT '{}',
    options jsonb DEFAULT '{}', missed text DEFAULT 'last', paused boolean DEFAULT false) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_known text[] := '{queue,priority,max_attempts,timeout,unique_key,unique_scope,unique_period,on_duplicate,concurrency_key,cores,memory,metadata}';
    v_key text;
    v_creator name;
BEGIN
    PERFORM check_name('schedule', 'name', schedule.name);
    PERFORM check_cron('schedule', schedule.cron);
    IF NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = schedule.timezone) THEN
        PERFORM invalid('schedule', 'timezone', schedule.timezone, 'the database knows no such zone', 'Use a name such as Europe/Berlin; pg_timezone_names lists them.');
    ELSIF schedule.missed IS NULL OR schedule.missed NOT IN ('skip', 'last', 'all') THEN
        PERFORM invalid('schedule', 'missed', schedule.missed, 'there is no such choice', 'Use skip, last or all.');
    ELSIF options IS NULL OR jsonb_typeof(options) <> 'object' THEN
        PERFORM invalid('schedule', 'options', options::text, 'it must be a JSON object', 'Give {"priority": 5}, say.');
    END IF;
    FOR v_key IN SELECT jsonb_object_keys(schedule.options) LOOP
        IF v_key <> ALL (v_known) THEN
            RAISE EXCEPTION 'schedule: options has no key "%"', left(v_key, 120) USING ERRCODE = '22023', HINT = suggest(left(v_key, 120), v_known);
        END IF;
    END LOOP;
    PERFORM check_request((read_requests(jsonb_build_array(schedule.options || jsonb_build_object('kind', schedule.kind)),
        request_keys(), 'schedule', 'options'))[1], 'schedule');
    SELECT s.created_by INTO v_creator FROM schedule s WHERE s.name = schedule.name;
    IF FOUND AND NOT may_change(v_creator) THEN
        PERFORM refuse_stranger('schedule', schedule.name);
    END IF;
    INSERT INTO schedule AS s (name, cron, timezone, kind, payload, options, missed, paused, settled_until, created_by, created_at, changed_at)
    VALUES (schedule.name, schedule.cron, schedule.timezone, schedule.kind, coalesce(schedule.payload, '{}'), schedule.options,
        schedule.missed, coalesce(schedule.paused, false), clock_timestamp(), session_user, clock_timestamp(), clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET cron = excluded.cron, timezone = excluded.timezone, kind = excluded.kind,
        payload = excluded.payload, options = excluded.options, missed = excluded.missed, paused = excluded.paused,
        -- A changed plan starts now: it has missed nothing. So does one that was paused.
        settled_until = CASE WHEN (s.cron, s.timezone) = (excluded.cron, excluded.timezone) AND NOT s.paused
            THEN s.settled_until ELSE greatest(s.settled_until, excluded.settled_until) END,
        next_tick = CASE WHEN (s.cron, s.timezone) = (excluded.cron, excluded.timezone) THEN s.next_tick END,
        changed_at = excluded.changed_at, revision = s.revision + 1;
    PERFORM pg_notify({{schema_literal}}, 'schedule');
END $$;
COMMENT ON FUNCTION {{schema}}.schedule IS 'Makes or changes a schedule, which enqueues a job at each tick of a cron line in a time zone.';

CREATE FUNCTION {{schema}}.unschedule(name text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_creator name;
BEGIN
    SELECT s.created_by INTO v_creator FROM schedule s WHERE s.name = unschedule.name;
    IF NOT FOUND THEN
        RETURN false;
    ELSIF NOT may_change(v_creator) THEN
        PERFORM refuse_stranger('schedule', unschedule.name);
    END IF;
    DELETE FROM schedule s WHERE s.name = unschedule.name;
    PERFORM pg_notify({{schema_literal}}, 'schedule');
    RETURN true;
END $$;
COMMENT ON FUNCTION {{schema}}.unschedule IS 'Removes a schedule; false if there was none.';

-- For workers.
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

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA {{schema}} FROM PUBLIC;
