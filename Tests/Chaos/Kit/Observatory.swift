import Foundation

/// What is watched while faults are injected: triggers write down every transition of every job in the transaction
/// that makes it, and the handlers of the workers every beginning and end.
enum Observatory {
    /// Concurrency of the limited queue, jobs per key of the keyed one, starts per second of the rated one.
    static let concurrency = 3
    static let keyConcurrency = 1
    static let rate = 20

    static let script = """
        CREATE SCHEMA chaos;
        -- Every job there ever was.
        CREATE TABLE chaos.job (
            id uuid PRIMARY KEY, kind text, unique_key text, created timestamptz NOT NULL DEFAULT clock_timestamp(),
            gone timestamptz
        );
        -- Every claim: from when to when the database took the job for running.
        CREATE TABLE chaos.claim (
            token bigint PRIMARY KEY, job uuid NOT NULL, worker uuid NOT NULL, queue text NOT NULL, key text,
            claimed_at timestamptz NOT NULL, began timestamptz NOT NULL, ended timestamptz
        );
        CREATE INDEX ON chaos.claim (job);
        CREATE INDEX ON chaos.claim (worker);
        -- Every row of the history, with the newest token of its job at that moment.
        CREATE TABLE chaos.finish (
            job uuid NOT NULL, kind text, outcome text NOT NULL, result jsonb, newest bigint, errors jsonb,
            at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        CREATE INDEX ON chaos.finish (job);
        CREATE INDEX ON chaos.finish (at);
        CREATE TABLE chaos.overwrite (job uuid NOT NULL, before jsonb, after jsonb);
        -- Written by handlers.
        CREATE TABLE chaos.execution (
            token bigint NOT NULL, job uuid NOT NULL, pid integer NOT NULL,
            began timestamptz NOT NULL DEFAULT clock_timestamp(), ended timestamptz
        );
        CREATE INDEX ON chaos.execution (token);
        CREATE TABLE chaos.step_run (
            job uuid NOT NULL, name text NOT NULL, token bigint NOT NULL,
            at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        -- Written by workers: outcomes that the database refused, leases lost, handlers left to themselves.
        CREATE TABLE chaos.note (
            what text NOT NULL, pid integer NOT NULL, detail text, at timestamptz NOT NULL DEFAULT clock_timestamp()
        );

        CREATE FUNCTION chaos.watch_job() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO chaos.job (id, kind, unique_key) VALUES (NEW.id, NEW.kind, NEW.unique_key);
                RETURN NULL;
            END IF;
            IF OLD.state = 'running' AND (TG_OP = 'DELETE' OR NEW.lease_token IS DISTINCT FROM OLD.lease_token
                    OR NEW.state <> 'running') THEN
                UPDATE chaos.claim SET ended = clock_timestamp() WHERE token = OLD.lease_token;
            END IF;
            IF TG_OP = 'DELETE' THEN
                UPDATE chaos.job SET gone = clock_timestamp() WHERE id = OLD.id;
            ELSIF NEW.state = 'running' AND NEW.lease_token IS DISTINCT FROM OLD.lease_token THEN
                INSERT INTO chaos.claim VALUES (NEW.lease_token, NEW.id, NEW.worker, NEW.queue, NEW.concurrency_key,
                    NEW.claimed_at, clock_timestamp());
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER watch AFTER INSERT OR UPDATE OR DELETE ON kiln.job
            FOR EACH ROW EXECUTE FUNCTION chaos.watch_job();

        CREATE FUNCTION chaos.watch_history() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO chaos.finish (job, kind, outcome, result, errors, newest)
                VALUES (NEW.id, NEW.kind, NEW.outcome::text, NEW.result, NEW.errors,
                    (SELECT max(token) FROM chaos.claim WHERE job = NEW.id));
            ELSE
                INSERT INTO chaos.overwrite VALUES (OLD.id, OLD.result, NEW.result);
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER watch AFTER INSERT OR UPDATE ON kiln.job_history
            FOR EACH ROW EXECUTE FUNCTION chaos.watch_history();

        SELECT kiln.set_queue('chaos.limited', concurrency => \(concurrency));
        SELECT kiln.set_queue('chaos.keyed', key_concurrency => \(keyConcurrency));
        SELECT kiln.set_queue('chaos.rated', rate_limit => \(rate), rate_interval => '1 second');
        """
}
