import FoundationEssentials
import Transfer

/// The programs, and what they are told.
struct WorkerPrograms: Sendable {
    /// The command `kiln`.
    let kiln: String
    /// A Python that has psycopg.
    let python: String
    let slots: Int
    let scratch: ScratchFolder

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Finds them; has scripts/bench-peers fetch what is missing, which takes some seconds the first time.
    ///
    /// - Parameter kiln: a path; `nil` for the command that was built beside this one.
    /// - Throws: `ChildProcess.Failure` that says what is missing.
    init(kiln path: String?, slots: Int, scratch: ScratchFolder) throws {
        let beside = URL(fileURLWithPath: try ChildTask.ownPath()).deletingLastPathComponent()
        kiln = path ?? beside.appendingPathComponent("kiln").path
        guard FileManager.default.isExecutableFile(atPath: kiln) else {
            throw ChildProcess.Failure(
                description: "there is no program \(kiln): swift build -c release --product kiln makes it")
        }
        let script = Self.root.appendingPathComponent("scripts/bench-peers").path
        let ended = try ChildProcess(program: script, arguments: ["--python"]).run()
        python = String(String(decoding: ended.output, as: UTF8.self).prefix { !$0.isNewline })
        self.slots = slots
        self.scratch = scratch
    }

    func kilnWorker(database: String, endpoint: String) -> ChildProcess {
        let credentials = TransferTaskCommand.credentials
        let settings = [
            "DATABASE_URL=\(database)", "AWS_ENDPOINT_URL_S3=\(endpoint)", "AWS_REGION=us-east-1",
            "AWS_ACCESS_KEY_ID=\(credentials.accessKeyID)", "AWS_SECRET_ACCESS_KEY=\(credentials.secretAccessKey)",
            "KILN_STORE=s3://\(ObjectServerProcess.bucket)", "WORKER_CONCURRENCY=\(slots)", "HEALTH_CHECK_PORT=0",
        ]
        return alone(settings, [kiln, "worker"])
    }

    func usualWorker(_ peer: Peer, database: String, endpoint: String) -> ChildProcess {
        alone([], usual("queue", peer, endpoint) + ["--database", database])
    }

    /// - Parameter jobs: payloads, one a line.
    func spawner(_ peer: Peer, jobs: String, endpoint: String) -> ChildProcess {
        alone([], usual("list", peer, endpoint) + ["--jobs", jobs])
    }

    private func usual(_ mode: String, _ peer: Peer, _ endpoint: String) -> [String] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "usual_worker.py")
        return [
            python, script.path, mode, "--endpoint", endpoint, "--bucket", ObjectServerProcess.bucket, "--ffmpeg",
            peer.path, "--slots", "\(slots)",
        ]
    }

    /// Without the variables of who measures, which may hold settings of another store.
    private func alone(_ settings: [String], _ words: [String]) -> ChildProcess {
        let environment = ProcessInfo.processInfo.environment
        let kept = ["PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "FONTCONFIG_PATH"].compactMap { name in
            environment[name].map { "\(name)=\($0)" }
        }
        return ChildProcess(
            program: "env", arguments: ["-i"] + kept + ["TMPDIR=\(scratch.path("."))"] + settings + words)
    }
}
