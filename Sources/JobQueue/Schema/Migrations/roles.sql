-- Roles and their rights. Roles belong to the whole cluster, so this may be run any number of times, by several at once.
DO $roles$
DECLARE
    v_prefix text := {{role_prefix_literal}};
    v_schema text := {{schema_literal}};
    v_role text;
    v_function record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('kiln roles'), hashtext(v_prefix));
    FOREACH v_role IN ARRAY ARRAY['producer', 'worker', 'reader'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_prefix || v_role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', v_prefix || v_role);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- Made meanwhile from another database: advisory locks end at the database.
        END;
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %I', v_schema, v_prefix || v_role);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', v_schema, v_prefix || v_role);
    END LOOP;
    FOR v_function IN
        SELECT p.oid::regprocedure AS signature, p.proname AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = v_schema
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, %I, %I, %I', v_function.signature,
            v_prefix || 'producer', v_prefix || 'worker', v_prefix || 'reader');
        -- What apps may call: each checks created_by where it touches a job that exists.
        IF v_function.name IN ('enqueue', 'enqueue_many', 'enqueue_workflow', 'cancel', 'retry', 'job', 'workflow', 'cancel_workflow',
            'retry_workflow', 'workflow_nodes', 'watch', 'unwatch', 'schedule', 'unschedule', 'dead', 'retry_dead', 'purge_dead') THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I, %I', v_function.signature, v_prefix || 'producer', v_prefix || 'worker');
        END IF;
        IF v_function.name LIKE 'worker\_%' OR v_function.name IN ('maintain', 'rescue', 'set_kind', 'set_queue', 'pause', 'resume', 'oldest_ready') THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function.signature, v_prefix || 'worker');
        END IF;
        IF v_function.name IN ('job', 'workflow', 'workflow_nodes', 'watch', 'unwatch', 'dead', 'oldest_ready') THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function.signature, v_prefix || 'reader');
        END IF;
    END LOOP;
    EXECUTE format('GRANT SELECT ON %1$I.jobs, %1$I.dead_jobs, %1$I.queues, %1$I.workers, %1$I.pipeline_runs, %1$I.pipeline_steps, %1$I.health, %1$I.schedule TO %2$I, %3$I',
        v_schema, v_prefix || 'reader', v_prefix || 'worker');
    EXECUTE format('UPDATE %I.setting SET value = %L WHERE name = ''role_prefix''', v_schema, v_prefix);
END $roles$;
