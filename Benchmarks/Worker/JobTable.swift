import JobQueue

/// What a contestant takes its jobs from, as the benchmark fills it and looks at it. Expressions are SQL.
struct JobTable: Sendable {
    /// Makes it, in a database that has Kiln's schema.
    var creation: String?
    /// One job, by a JSON text for its payload and an expression for its output's key.
    var enqueue: @Sendable (_ key: String) -> String
    /// How many are not finished, and how many are done as they should.
    var unfinished: String
    var done: String
    /// How many have failed, once or for good, and one's error.
    var failed: String
    var failure: String
    /// The moment when the last was done, in seconds since 1970.
    var finished: String
    /// The moments that lie between a job's coming and its start, and the table that they are in.
    var wait: (start: String, end: String, table: String)

    /// Kiln's queue.
    static func kiln(_ work: WorkerWork) -> JobTable {
        JobTable(
            creation: nil,
            enqueue: { key in
                let place = "'s3://\(ObjectServerProcess.bucket)/' || \(key)"
                let payload = "jsonb_set(\(work.payload.quotedLiteral)::jsonb, '{output}', to_jsonb(\(place)))"
                return "kiln.enqueue('\(work.kind)', \(payload))"
            },
            unfinished: "SELECT count(*) FROM kiln.job",
            done: "SELECT count(*) FROM kiln.job_history WHERE outcome = 'succeeded'",
            failed: """
                SELECT count(*) FROM (SELECT errors FROM kiln.job_history UNION ALL SELECT errors FROM kiln.job) j
                WHERE jsonb_array_length(coalesce(errors, '[]')) > 0
                """,
            failure: """
                SELECT errors::text FROM (SELECT errors FROM kiln.job_history UNION ALL SELECT errors FROM kiln.job) j
                WHERE jsonb_array_length(coalesce(errors, '[]')) > 0 LIMIT 1
                """,
            finished: "SELECT extract(epoch FROM max(finished_at)) FROM kiln.job_history",
            wait: ("created_at", "claimed_at", "kiln.job_history"))
    }

    /// The table of the worker in Python.
    static func usual(_ work: WorkerWork) -> JobTable {
        JobTable(
            creation: """
                CREATE TABLE usual_job (
                    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    state text NOT NULL DEFAULT 'waiting',
                    payload jsonb NOT NULL,
                    attempts integer NOT NULL DEFAULT 0,
                    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                    started_at timestamptz, finished_at timestamptz, error text);
                CREATE INDEX ON usual_job (id) WHERE state = 'waiting';
                CREATE FUNCTION enqueue(payload jsonb) RETURNS bigint LANGUAGE sql
                    AS 'INSERT INTO usual_job (payload) VALUES ($1) RETURNING id'
                """,
            enqueue: { key in
                "enqueue(jsonb_set(\(work.usualPayload.quotedLiteral)::jsonb, '{output}', to_jsonb(\(key))))"
            },
            unfinished: "SELECT count(*) FROM usual_job WHERE state IN ('waiting', 'running')",
            done: "SELECT count(*) FROM usual_job WHERE state = 'done'",
            failed: "SELECT count(*) FROM usual_job WHERE error IS NOT NULL",
            failure: "SELECT error FROM usual_job WHERE error IS NOT NULL LIMIT 1",
            finished: "SELECT extract(epoch FROM max(finished_at)) FROM usual_job",
            wait: ("created_at", "started_at", "usual_job"))
    }

    /// Seconds that so great a part of the jobs waited no longer than, of those that came after a moment.
    ///
    /// - Parameter since: seconds since 1970.
    func waited(_ part: Double, since: Double) -> String {
        """
        SELECT percentile_cont(\(part)) WITHIN GROUP (ORDER BY extract(epoch FROM \(wait.end) - \(wait.start)))
        FROM \(wait.table) WHERE \(wait.start) >= to_timestamp(\(since))
        """
    }
}
