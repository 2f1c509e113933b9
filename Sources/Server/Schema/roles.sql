-- The API runs as a worker does, or as the schema's owner. Making tokens is left to the owner.
DO $roles$
DECLARE
    v_role text := {{role_prefix_literal}} || 'worker';
    v_schema text := {{schema_literal}};
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', v_schema, v_role);
    EXECUTE format('GRANT SELECT, UPDATE (last_used_at) ON %I.token TO %I', v_schema, v_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.idempotency TO %I', v_schema, v_role);
END $roles$;
