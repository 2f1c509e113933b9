import FoundationEssentials
import JobQueue
import MediaKit
import Providers
import Server
import Transfer

/// The rows of one recording, as one attempt of a job may write them.
///
/// A recording is worked on by one attempt at a time: the one that has put its claim into the row, and still holds its job.
/// Every write is a transaction that locks the row and looks whether that is so.
struct CallLedger: Sendable {
    /// What is known of a recording.
    struct Recording: Sendable {
        var id: UUID
        /// Where its copy is, if there is one.
        var copy: String?
        var channels: Int?
        /// How long Twilio has been waited for.
        var waited: Duration
    }

    private let queue: QueueClient
    private let owner: QueueUploadLedger.Owner
    private let jobs: String
    private let calls: String

    init(_ services: JobServices, _ owner: QueueUploadLedger.Owner) {
        queue = services.queue
        self.owner = owner
        let schema = services.configuration.database.schema
        jobs = schema.quotedIdentifier
        calls = CallSchema.name(besides: schema).quotedIdentifier
    }

    // MARK: Beginning

    /// How long another run of the same recording is waited for between two looks.
    private static let patience = Duration.seconds(5)

    /// Writes the recording down and claims it.
    ///
    /// - Throws: `JobError.snooze` while another job works on it.
    func begin(_ payload: CallRecording.Payload, account: String) async throws -> Recording {
        try await queue.withTransaction { connection in
            let id: UUID = try await connection.query(
                "SELECT \(calls).note_recording($1, $2, $3, $4, $5, $6, $7, $8)",
                [
                    payload.address.sid, account, payload.callSid, payload.address.url.description, payload.from,
                    payload.to, payload.duration, payload.channels,
                ]
            ).value()
            let rows = try await connection.query(
                """
                SELECT run_job, run_token, CASE WHEN downloaded_at IS NOT NULL THEN local_path END AS copy, channels,
                    CASE WHEN run_job = $2 THEN date_part('epoch', clock_timestamp() - waiting_since) END AS waited
                FROM \(calls).recordings WHERE id = $1 FOR UPDATE
                """, [id, owner.job])
            guard let row = rows.first else { throw QueueError(.badRow, "note_recording has made no row") }
            let other = try row.decode("run_job", as: UUID?.self), token = try row.decode("run_token", as: Int64?.self)
            if let other, let token, other != owner.job {
                let isBusy: Bool = try await connection.query(
                    "SELECT \(jobs).worker_holds($1, $2)", [other, token]
                ).value()
                if isBusy { throw JobError.snooze(until: Date.now.addingTimeInterval(Self.patience / .seconds(1))) }
            }
            let waited = try row.decode("waited", as: Double?.self)
            _ = try await connection.query(
                """
                UPDATE \(calls).recordings SET run_job = $2, run_token = $3, updated_at = clock_timestamp(),
                    status = CASE WHEN status = 'completed' THEN status ELSE 'processing' END, error = NULL,
                    waiting_since = CASE WHEN run_job = $2 THEN waiting_since END
                WHERE id = $1
                """, [id, owner.job, owner.token])
            _ = try await connection.query(
                """
                UPDATE \(calls).calls c SET status = CASE WHEN c.status = 'completed' THEN c.status ELSE 'processing' END,
                    error = NULL, updated_at = clock_timestamp()
                FROM \(calls).recordings r WHERE r.id = $1 AND c.id = r.call_id
                """, [id])
            _ = try await connection.query(
                """
                INSERT INTO \(calls).run AS u (recording_id, job_id) VALUES ($1, $2)
                ON CONFLICT (recording_id, job_id) DO UPDATE SET status = 'running', error = NULL, finished_at = NULL
                """, [id, owner.job])
            return Recording(
                id: id, copy: try row.decode("copy"), channels: try row.decode("channels"),
                waited: .seconds(waited ?? 0))
        }
    }

    // MARK: Steps

    /// Notes that Twilio is waited for, from now on unless it is already.
    func wait(for recording: Recording) async throws {
        try await writing(recording) { connection in
            _ = try await connection.query(
                """
                UPDATE \(calls).recordings SET waiting_since = coalesce(waiting_since, clock_timestamp()) WHERE id = $1
                """, [recording.id])
        }
    }

    func write(_ copy: RecordingDownload.Copy, of recording: Recording) async throws {
        try await writing(recording) { connection in
            _ = try await connection.query(
                """
                UPDATE \(calls).recordings SET local_path = $2, size = $3, content_type = $4,
                    channels = coalesce($5, channels), downloaded_at = clock_timestamp(), waiting_since = NULL,
                    status = CASE WHEN status = 'completed' THEN status ELSE 'downloaded' END,
                    updated_at = clock_timestamp()
                WHERE id = $1
                """, [recording.id, copy.location, copy.size, copy.content.mediaType, copy.content.channels])
        }
    }

    /// The transcript that is there.
    func transcript(of recording: Recording) async throws -> Transcript? {
        let rows = try await reading("SELECT raw_json FROM \(calls).transcripts WHERE recording_id = $1", recording)
        return try rows.first?.decode("raw_json", as: PostgresJSON.self).decode(Transcript.self)
    }

    func write(_ transcription: Transcription, of recording: Recording) async throws {
        let (transcript, usage) = (transcription.transcript.storable, transcription.usage)
        let json = try PostgresJSON(encoding: transcript)
        try await writing(recording) { connection in
            _ = try await connection.query(
                """
                INSERT INTO \(calls).transcripts
                    (recording_id, content, raw_json, engine, quality, language, duration, audio_seconds, cost)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (recording_id) DO NOTHING
                """,
                [
                    recording.id, CallText.content(of: transcript), json, transcript.engine,
                    transcript.quality?.rawValue, transcript.language, transcript.duration, usage.audioSeconds,
                    usage.cost,
                ])
            _ = try await connection.query(
                """
                UPDATE \(calls).recordings SET status = 'transcribed', updated_at = clock_timestamp()
                WHERE id = $1 AND status <> 'completed'
                """, [recording.id])
        }
    }

    /// The insights that are there.
    func insights(of recording: Recording) async throws -> CallAnalysis? {
        let rows = try await reading(
            "SELECT content, engine FROM \(calls).insights WHERE recording_id = $1", recording)
        return try rows.first.map { row in
            CallAnalysis(
                content: try row.decode("content", as: PostgresJSON.self).decode(JSONValue.self),
                engine: try row.decode("engine"))
        }
    }

    func write(_ analysis: CallAnalysis, of recording: Recording) async throws {
        let json = try PostgresJSON(encoding: analysis.content.storable)
        try await writing(recording) { connection in
            _ = try await connection.query(
                """
                INSERT INTO \(calls).insights (recording_id, content, engine) VALUES ($1, $2, $3)
                ON CONFLICT (recording_id) DO NOTHING
                """, [recording.id, json, analysis.engine])
        }
    }

    /// Writes down that all is done.
    func complete(_ recording: Recording, preview: String, summary: String?) async throws {
        try await writing(recording) { connection in
            _ = try await connection.query(
                """
                UPDATE \(calls).calls c SET status = 'completed', error = NULL, preview = $2, summary = $3,
                    duration = coalesce(c.duration, r.duration), updated_at = clock_timestamp()
                FROM \(calls).recordings r WHERE r.id = $1 AND c.id = r.call_id
                """, [recording.id, preview, summary])
            _ = try await connection.query(
                """
                UPDATE \(calls).recordings SET status = 'completed', error = NULL, updated_at = clock_timestamp()
                WHERE id = $1
                """, [recording.id])
            try await end(recording, "completed", nil, on: connection)
        }
    }

    // MARK: Failing

    /// Writes down why the attempt has failed.
    ///
    /// - Parameter isGone: whether there is no such recording, and never will be.
    func fail(_ recording: Recording, _ reason: String, isGone: Bool) async throws {
        try await writing(recording) { connection in
            _ = try await connection.query(
                """
                UPDATE \(calls).recordings SET status = $2, error = $3, waiting_since = NULL,
                    updated_at = clock_timestamp() WHERE id = $1
                """, [recording.id, isGone ? "absent" : "failed", reason])
            _ = try await connection.query(
                """
                UPDATE \(calls).calls c SET status = 'failed', error = $2, updated_at = clock_timestamp()
                FROM \(calls).recordings r WHERE r.id = $1 AND c.id = r.call_id
                """, [recording.id, reason])
            try await end(recording, "failed", reason, on: connection)
        }
    }

    private func end(
        _ recording: Recording, _ status: String, _ error: String?, on connection: PostgresConnection
    ) async throws {
        _ = try await connection.query(
            """
            UPDATE \(calls).run SET status = $3, error = $4, finished_at = clock_timestamp()
            WHERE recording_id = $1 AND job_id = $2
            """, [recording.id, owner.job, status, error])
    }

    // MARK: The fence

    private func reading(_ sql: String, _ recording: Recording) async throws -> PostgresRows {
        try await queue.withConnection { try await $0.query(sql, [recording.id]) }
    }

    /// - Throws: `leaseLost` if the recording, or the job, is somebody else's by now.
    private func writing(
        _ recording: Recording, _ body: @Sendable (PostgresConnection) async throws -> Void
    ) async throws {
        try await queue.withTransaction { connection in
            let rows = try await connection.query(
                """
                SELECT run_job = $2 AND run_token = $3 AND \(jobs).worker_holds($2, $3) FROM \(calls).recordings
                WHERE id = $1 FOR UPDATE
                """, [recording.id, owner.job, owner.token])
            guard try rows.first?.decode(0, as: Bool?.self) == true else {
                throw QueueError(
                    .leaseLost, "job \(owner.job.uuidString.lowercased()) no longer works on this recording",
                    hint: "stop: another worker may do so by now")
            }
            try await body(connection)
        }
    }
}

/// What services answer may hold U+0000, which Postgres stores in no text or JSON: it would fail every attempt.
extension String {
    fileprivate var storable: String {
        guard unicodeScalars.contains("\0") else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.filter { $0 != "\0" }))
    }
}

extension Transcript {
    fileprivate var storable: Transcript {
        var copy = self
        for index in copy.segments.indices {
            copy.segments[index].text = segments[index].text.storable
            for word in copy.segments[index].words.indices {
                copy.segments[index].words[word].text = segments[index].words[word].text.storable
            }
        }
        return copy
    }
}

extension JSONValue {
    fileprivate var storable: JSONValue {
        switch self {
        case .string(let text): .string(text.storable)
        case .array(let values): .array(values.map(\.storable))
        case .object(let members): .object(members.mapValues(\.storable))
        default: self
        }
    }
}

extension PostgresRows {
    /// The first column of the one row.
    fileprivate func value<Value: PostgresDecodable>() throws -> Value {
        guard let row = first else { throw QueueError(.badRow, "the answer has no row") }
        return try row.decode(0)
    }
}
