import FoundationEssentials
import JobQueue
import Logging
import MediaKit
import Providers
import Transfer

/// Insight from a call: its recording is taken from Twilio, transcribed, analysed and written into tables, in durable steps
/// that are done once for each recording, whichever job comes to them.
enum CallRecording: JobKind {
    static let name = "pipeline.call_recording"
    static let summary = "Take a call's recording from Twilio, transcribe and analyse it, and keep all in tables."
    static let weight = KindWeight(cores: 1, memory: 384 << 20)

    /// What a job has come to.
    struct Answer: Codable, Sendable {
        var recordingSid: String
        var accountSid: String
        var callSid: String?
        /// Where the recording's copy is.
        var recording: String
        /// Of the transcript.
        var engine: String?
        var quality: Transcript.Quality?
        var language: String?
        /// Seconds of the recording.
        var duration: Double
        var preview: String
        var summary: String?
        /// As `insights.content` has them.
        var insights: JSONValue
    }

    static func run(_ job: Job<Payload>, _ services: JobServices) async throws -> Answer {
        try await CallRun(job, services).run()
    }
}

/// One attempt of a job on a recording.
struct CallRun: Sendable {
    private let job: Job<CallRecording.Payload>
    private let services: JobServices
    private let owner: QueueUploadLedger.Owner
    private let ledger: CallLedger
    private let account: String

    /// - Throws: `JobError.permanent` if nothing says whose recording it is.
    init(_ job: Job<CallRecording.Payload>, _ services: JobServices) throws {
        self.job = job
        self.services = services
        owner = QueueUploadLedger.Owner(job.context)
        ledger = CallLedger(services, owner)
        guard let account = job.payload.accountSid ?? services.configuration.providers.twilio.accountSID else {
            throw JobError.permanent("nothing says whose the recording is: give accountSid, or set TWILIO_ACCOUNT_SID")
        }
        self.account = account
    }

    func run() async throws -> CallRecording.Answer {
        let recording = try await ledger.begin(job.payload, account: account)
        do {
            return try await run(recording)
        } catch let noRoom as NoRoom {
            throw noRoom.error
        } catch {
            await note(error, recording)
            if let gone = error as? Gone { throw JobError.permanent(gone.description) }
            throw error
        }
    }

    /// The worker has no room for what the recogniser takes, which is no failure: the job goes elsewhere.
    private struct NoRoom: Error {
        let error: any Error
    }

    /// A recording that never comes.
    private struct Gone: Error, CustomStringConvertible {
        let description: String
    }

    private func run(_ recording: CallLedger.Recording) async throws -> CallRecording.Answer {
        job.progress(0, phase: "download_recording")
        let copy = try await job.step("download_recording") { try await download(recording) }
        job.progress(0.2, phase: "transcribe_whisper")
        try await makeRoom(for: recording)
        _ = try await job.step("transcribe_whisper") { try await transcribe(recording, copy) }
        let transcript = try await found(ledger.transcript(of: recording), "transcript")
        job.progress(0.8, phase: "analyze_llm")
        _ = try await job.step("analyze_llm") { try await analyse(recording, transcript) }
        let insights = try await found(ledger.insights(of: recording), "insights")
        job.progress(0.95, phase: "persist_db")
        let preview = CallText.preview(of: transcript)
        var isWritten = false
        try await job.step("persist_db") {
            try await ledger.complete(recording, preview: preview, summary: insights.summary)
            isWritten = true
        }
        // An attempt after the step has begun the run anew, and may have failed meanwhile.
        if !isWritten { try await ledger.complete(recording, preview: preview, summary: insights.summary) }
        return CallRecording.Answer(
            recordingSid: job.payload.address.sid, accountSid: account, callSid: job.payload.callSid,
            recording: copy.location, engine: transcript.engine, quality: transcript.quality,
            language: transcript.language, duration: transcript.duration, preview: preview,
            summary: insights.summary, insights: insights.content)
    }

    /// A row that a step of this job, now or in an earlier attempt, has written.
    private func found<Value>(_ value: Value?, _ what: String) throws -> Value {
        guard let value else {
            throw JobError.permanent("the \(what) of \(job.payload.address.sid) was there, and was removed meanwhile")
        }
        return value
    }

    // MARK: Steps

    /// What a step leaves behind, as `pipeline_steps.meta` shows it.
    private struct CopyReport: Codable, Sendable {
        /// Whether it was there before.
        var skipped: Bool
        var location: String
        var channels: Int?
        /// Bytes.
        var size: Int64
    }

    private struct EngineReport: Codable, Sendable {
        var skipped: Bool
        var engine: String?
        /// Seconds that were recognised.
        var audioSeconds: Double?
        /// US dollars.
        var cost: Double?
    }

    private func download(_ recording: CallLedger.Recording) async throws -> CopyReport {
        if let location = recording.copy, let object = try await head(location) {
            return CopyReport(skipped: true, location: location, channels: recording.channels, size: object.size)
        }
        let download = RecordingDownload(
            services: services, owner: owner, address: job.payload.address, accountSid: account,
            channels: job.payload.channels)
        switch try await download.run() {
        case .copied(let copy):
            try await ledger.write(copy, of: recording)
            return CopyReport(
                skipped: false, location: copy.location, channels: copy.content.channels, size: copy.size)
        case .underWay:
            guard let wait = RecordingPatience.wait(after: recording.waited) else {
                throw JobError.permanent(
                    "\(job.payload.address.url) is not there after \(RecordingPatience.limit.components.seconds / 60) minutes"
                )
            }
            try await ledger.wait(for: recording)
            job.logger.info("Twilio has not finished the recording; looking again in \(wait)")
            throw JobError.snooze(until: Date.now.addingTimeInterval(wait / .seconds(1)))
        case .late:
            throw JobError.retry(
                after: .seconds(10), "Twilio says that \(job.payload.address.sid) is completed, and does not find it")
        case .gone(let reason): throw Gone(description: reason)
        }
    }

    /// `nil` if it is not in the store any more.
    private func head(_ location: String) async throws -> ObjectInfo? {
        guard let (store, key) = try services.stores.store(for: try ObjectLocation(location)) else { return nil }
        do { return try await store.head(key) } catch let error as TransferError where error.code == .notFound {
            return nil
        }
    }

    private func transcribe(_ recording: CallLedger.Recording, _ copy: CopyReport) async throws -> EngineReport {
        if let transcript = try await ledger.transcript(of: recording) {
            return EngineReport(skipped: true, engine: transcript.engine)
        }
        let cores = Int(max(1, job.context.cores.rounded(.up)))
        let engine = try services.callEngines.transcriber(services.providers, cores)
        let channels: TranscriptionRequest.Channels =
            switch copy.channels ?? job.payload.channels {
            case 1?: .mixed
            case 2? where copy.channels == 2: .separate
            default: .automatic
            }
        let request = TranscriptionRequest(
            input: copy.location, language: job.payload.language, channels: channels, speakers: job.payload.speakers)
        let media = MediaEngine(resolver: JobResolver(services, job: job.context), cores: CoreBudget(cores: cores))
        let transcription = try await engine.transcribe(request, media: media) { [job] fraction in
            job.progress(0.2 + 0.6 * min(max(fraction, 0), 1), phase: "transcribe_whisper")
        }
        try await ledger.write(transcription, of: recording)
        return EngineReport(
            skipped: false, engine: transcription.transcript.engine ?? engine.engineName,
            audioSeconds: transcription.usage.audioSeconds, cost: transcription.usage.cost)
    }

    /// Has the worker give what recognising takes, unless it is done.
    private func makeRoom(for recording: CallLedger.Recording) async throws {
        let work = services.configuration.worker, weight = services.providers.speechWeight()
        let (cores, memory) = (min(weight.cores, work.cores), min(weight.memory, work.memory))
        guard cores > job.context.cores || memory > job.context.memory,
            try await ledger.transcript(of: recording) == nil
        else { return }
        do {
            try await job.raise(cores: max(cores, job.context.cores), memory: max(memory, job.context.memory))
        } catch {
            throw NoRoom(error: error)
        }
    }

    private func analyse(_ recording: CallLedger.Recording, _ transcript: Transcript) async throws -> EngineReport {
        if let known = try await ledger.insights(of: recording) {
            return EngineReport(skipped: true, engine: known.engine)
        }
        let analysis = try await services.callEngines.analyse(transcript, services.providers)
        try await ledger.write(analysis, of: recording)
        return EngineReport(skipped: false, engine: analysis.engine)
    }

    // MARK: Failure

    /// Writes a failure into the rows. One that is not the recording's is not: it is waited for, or the job has gone elsewhere.
    private func note(_ error: any Error, _ recording: CallLedger.Recording) async {
        if case JobError.snooze = error { return }
        if (error as? QueueError)?.code == .leaseLost { return }
        let verdict = FailureVerdict(error)
        if verdict.kind == .stopped, !(error is JobError), !(error is QueueError) { return }
        do {
            try await ledger.fail(recording, "\(error)", isGone: error is Gone)
        } catch let failure {
            job.logger.warning("the failure could not be written into the tables of calls: \(failure)")
        }
    }
}
