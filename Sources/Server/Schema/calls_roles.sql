-- Workers, and the API that runs as one, write; readers read. Who enqueues need not know what was said.
DO $roles$
DECLARE
    v_worker text := {{role_prefix_literal}} || 'worker';
    v_reader text := {{role_prefix_literal}} || 'reader';
    v_schema text := {{schema_literal}};
    v_function record;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I, %I', v_schema, v_worker, v_reader);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %1$I.calls, %1$I.recordings, %1$I.transcripts, %1$I.insights, %1$I.run TO %2$I', v_schema, v_worker);
    EXECUTE format('GRANT SELECT ON %1$I.calls, %1$I.recordings, %1$I.transcripts, %1$I.insights TO %2$I', v_schema, v_reader);
    EXECUTE format('GRANT SELECT ON %1$I.pipeline_runs, %1$I.pipeline_steps TO %2$I, %3$I', v_schema, v_worker, v_reader);
    FOR v_function IN
        SELECT p.oid::regprocedure AS signature, p.proname AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = v_schema
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function.signature, v_worker);
        -- Those that the views call.
        IF v_function.name LIKE 'run\_%' THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function.signature, v_reader);
        END IF;
    END LOOP;
END $roles$;
