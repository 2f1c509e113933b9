import ArgumentParser
import FoundationEssentials
import JobQueue
import Server

struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Take a call's recording through the pipeline, and look at what came of it.",
        subcommands: [Enqueue.self, Show.self], aliases: ["calls"])

    struct Enqueue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Enqueue the pipeline for a recording, and print the job's id.",
            discussion: """
                  kiln call enqueue --recording-url "$URL" --account-sid "$AC" --from +15551234567 --to +15557654321

                RECORDING_URL and TWILIO_ACCOUNT_SID stand for what is left out. A recording that was enqueued before, here or \
                by Twilio's webhook, keeps its job, whose id is printed; another --job-id makes another run of it, which \
                skips what is done.
                """)

        @Option(help: "Where Twilio has the recording (default: the variable RECORDING_URL).")
        var recordingUrl: String?
        @Option(help: "Whose it is (default: TWILIO_ACCOUNT_SID, else what the URL says).")
        var accountSid: String?
        @Option(help: "Its name, where the URL does not end with it.")
        var recordingSid: String?
        @Option(help: "The call that was recorded.")
        var callSid: String?
        @Option(help: "Who called, such as +15551234567.")
        var from: String?
        @Option(help: "Who was called.")
        var to: String?
        @Option(help: "Seconds of the recording.")
        var duration: Double?
        @Option(help: "2 where each side has a channel of its own.")
        var channels: Int?
        @Option(help: ArgumentHelp("Anything that no run of the recording has had yet.", valueName: "id"))
        var jobId: String?
        @Option(help: "Who is told of the job's states.")
        var webhook: String?
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.reporting {
                let environment = ProcessInfo.processInfo.environment
                func given(_ option: String?, _ variable: String) -> String? {
                    option ?? environment[variable].flatMap { $0.isEmpty ? nil : $0 }
                }
                guard let url = given(recordingUrl, "RECORDING_URL") else {
                    throw QueueError(
                        .badRequest, "no recording is named", hint: "use --recording-url, or set RECORDING_URL")
                }
                var members: [String: JSONValue] = ["recordingUrl": .string(url)]
                let texts = [
                    "recordingSid": recordingSid, "accountSid": given(accountSid, "TWILIO_ACCOUNT_SID"),
                    "callSid": callSid, "from": from, "to": to, "webhook": webhook,
                ]
                for (name, text) in texts { members[name] = text.map { .string($0) } }
                if let duration {
                    guard duration.isFinite else {
                        throw QueueError(.badRequest, "the duration is \(duration)", hint: "give it in seconds")
                    }
                    members["duration"] = try Self.number(duration)
                }
                if let channels { members["channels"] = .integer(Int64(channels)) }
                let payload = JSONValue.object(members)
                let sid = try Self.checked(payload)
                // The same name of a run may be given for any number of recordings.
                let unique = Unique(jobId.map { "\(sid) \($0)" } ?? sid, scope: .period(.seconds(30 * 86_400)))
                try await database.run { queue in
                    let id = try await queue.enqueue(
                        CallRecording.name, payload, options: EnqueueOptions(unique: unique))
                    try database.print(["id": QueueText.id(id)], QueueText.id(id))
                }
            }
        }

        private static func number(_ value: Double) throws -> JSONValue {
            try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
        }

        /// - Returns: the recording's SID.
        /// - Throws: `badRequest` for what the worker would refuse.
        private static func checked(_ payload: JSONValue) throws -> String {
            do {
                return try JSONDecoder().decode(CallRecording.Payload.self, from: JSONEncoder().encode(payload))
                    .address.sid
            } catch let error as DecodingError {
                throw QueueError(.badRequest, CallCommand.text(error))
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell what came of a recording: its call, transcript, insights and runs.")
        @Argument(help: ArgumentHelp("The recording's name.", valueName: "recording-sid"))
        var recordingSid: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.run { queue in
                let calls = CallSchema.name(besides: database.schema).quotedIdentifier
                let statement = PostgresStatement(Self.sql(calls), [recordingSid])
                let found = try await queue.withConnection { connection in
                    try await connection.query(statement).first?.decode(0, as: PostgresJSON.self)
                }
                guard let found else {
                    throw QueueError(.notFound, "recording \(recordingSid.debugDescription) is not known")
                }
                let value = try found.decode(JSONValue.self)
                // The same for people: nothing of it can be left out.
                try Console.output.print(JSONText.pretty(value))
            }
        }

        private static func sql(_ calls: String) -> String {
            """
            SELECT jsonb_build_object('recording', to_jsonb(r) - 'run_job' - 'run_token' - 'call_id', 'call', to_jsonb(c),
                'transcript', (SELECT to_jsonb(t) - 'raw_json' - 'recording_id' FROM \(calls).transcripts t WHERE t.recording_id = r.id),
                'insights', (SELECT to_jsonb(i) - 'recording_id' FROM \(calls).insights i WHERE i.recording_id = r.id),
                'runs', (SELECT coalesce(jsonb_agg(to_jsonb(u) - 'recording_id' || jsonb_build_object('steps',
                        (SELECT coalesce(jsonb_agg(to_jsonb(s) - 'recording_id' - 'recording_sid' - 'job_id' ORDER BY s.seq), '[]')
                         FROM \(calls).pipeline_steps s WHERE s.recording_id = r.id AND s.job_id = u.job_id))
                    ORDER BY u.started_at), '[]') FROM \(calls).pipeline_runs u WHERE u.recording_id = r.id))
            FROM \(calls).recordings r JOIN \(calls).calls c ON c.id = r.call_id WHERE r.recording_sid = $1
            """
        }
    }

    private static func text(_ error: DecodingError) -> String {
        switch error {
        case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context),
            .valueNotFound(_, let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
        @unknown default: return "\(error)"
        }
    }
}
