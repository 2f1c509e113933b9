-- What the functions share: ids, permissions, errors, and waking.

-- UUID version 7 (RFC 9562, section 5.7) of a moment in microseconds since 1970; the 12 bits after the version hold
-- the fraction of the millisecond (section 6.2, method 3), so that ids made a microsecond apart sort in that order.
CREATE FUNCTION {{schema}}.uuid7(us bigint) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT pg_catalog.encode(
        pg_catalog.int8send(((us / 1000) << 16) | 28672 | ((us % 1000) * 4096 / 1000))
        || pg_catalog.substring(pg_catalog.uuid_send(pg_catalog.gen_random_uuid()), 9), 'hex')::uuid
$$;

CREATE FUNCTION {{schema}}.clock_us() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) * 1000000)::bigint
$$;

-- The millisecond after the one a UUIDv7 was made in, in microseconds.
CREATE FUNCTION {{schema}}.after_us(id uuid) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT (('x' || pg_catalog.translate(pg_catalog.substr(id::text, 1, 13), '-', ''))::bit(48)::bigint + 1) * 1000
$$;

-- Whether the session belongs to the schema's owner or to one of the named roles.
CREATE FUNCTION {{schema}}.privileged(p_roles text[]) RETURNS boolean LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
DECLARE
    v_owner oid;
    v_prefix text;
BEGIN
    SELECT nspowner INTO v_owner FROM pg_namespace WHERE nspname = {{schema_literal}};
    IF pg_has_role(session_user, v_owner, 'MEMBER') THEN
        RETURN true;
    END IF;
    SELECT value INTO v_prefix FROM setting WHERE name = 'role_prefix';
    RETURN EXISTS (SELECT FROM pg_roles r WHERE r.rolname = ANY (SELECT v_prefix || n FROM unnest(p_roles) n)
                   AND pg_has_role(session_user, r.oid, 'MEMBER'));
END $$;

CREATE FUNCTION {{schema}}.may_read(p_creator name) RETURNS boolean LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    RETURN p_creator = session_user OR privileged('{reader,worker}');
END $$;

CREATE FUNCTION {{schema}}.may_change(p_creator name) RETURNS boolean LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    RETURN p_creator = session_user OR privileged('{worker}');
END $$;

CREATE FUNCTION {{schema}}.refuse_stranger(p_what text, p_id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % belongs to another role', p_what, p_id USING ERRCODE = '42501',
        HINT = 'Ask as the role that created it, as a member of the worker role, or as the owner of the schema.';
END $$;

CREATE FUNCTION {{schema}}.invalid(p_where text, p_argument text, p_value text, p_rule text, p_hint text)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % is %, but %', p_where, p_argument,
        coalesce('"' || CASE WHEN length(p_value) > 120 THEN left(p_value, 117) || '...' ELSE p_value END || '"', 'NULL'),
        p_rule USING ERRCODE = '22023', HINT = coalesce(p_hint, 'Correct the value, or leave it out for the default.');
END $$;

-- The name out of `p_known` that is nearest to `p_name` (shared pairs of letters), and the list of all.
CREATE FUNCTION {{schema}}.suggest(p_name text, p_known text[]) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
    WITH scored AS (
        SELECT k, (SELECT count(*) FROM generate_series(1, greatest(length(p_name) - 1, 1)) i
                   WHERE strpos(lower(k), lower(substr(p_name, i, 2))) > 0)::real
                  / greatest(length(k), length(p_name)) AS score
        FROM unnest(p_known) k)
    SELECT coalesce((SELECT 'Did you mean "' || k || '"? ' FROM scored WHERE score >= 0.3 ORDER BY score DESC, k LIMIT 1), '')
        || 'Known names: ' || array_to_string(p_known, ', ') || '.'
$$;

-- Wakes sleeping workers when a transaction that made jobs claimable commits. The shared lock is held until the
-- commit is visible; a worker that goes to sleep asks for it exclusively, so it either sees the jobs or is seen here.
CREATE FUNCTION {{schema}}.wake() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, {{schema}}, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext({{schema_literal}}), hashtext(NEW.queue));
    -- An older snapshot cannot tell who sleeps now.
    IF current_setting('transaction_isolation') <> 'read committed'
       OR EXISTS (SELECT FROM worker w WHERE w.asleep AND w.state = 'alive' AND NEW.queue = ANY (w.queues)) THEN
        PERFORM pg_notify({{schema_literal}}, CASE WHEN NEW.scheduled > 0 THEN 'due:' || next_due() ELSE 'wake:' || NEW.queue END);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER wake AFTER INSERT ON {{schema}}.counter_delta DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.ready > 0 OR NEW.wake) EXECUTE FUNCTION {{schema}}.wake();

CREATE FUNCTION {{schema}}.history_state(p_id uuid) RETURNS {{schema}}.job_state LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (SELECT outcome FROM job_history WHERE id = p_id LIMIT 1);
END $$;
