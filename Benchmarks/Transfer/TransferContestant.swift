import FoundationEssentials
import Glibc
import MediaKit
import Transfer

/// Somebody who does a piece of work, or a part of it alone.
struct TransferContestant {
    enum Role: String, Codable {
        /// What all this is about.
        case streaming
        /// Another way of doing the same.
        case rival
        /// Another way, whose time is what is usually taken.
        case usual
        /// A part of it alone: no more than a floor.
        case part
    }

    var name: String
    var role: Role
    /// Processes, one after another.
    var steps: [ChildProcess]
    /// The key of the object that it makes, if any.
    var output: String?
    /// Files that it leaves.
    var leaves: [String] = []

    func run(on server: ObjectServerProcess) async throws -> TransferRun {
        try await server.forget()
        let started = SharedClock.now
        let ended = try await offPool { [steps] in try steps.map { try $0.run() } }
        let counts = try await server.counts()
        for path in leaves { unlink(path) }
        return TransferRun(
            process: .together(ended.map(\.run)),
            diskBytes: ended.map(\.diskBytesWritten).reduce(0, +), requests: counts.requests,
            bytesFetched: counts.bytesOut, bytesSent: counts.bytesIn,
            firstOutput: counts.firstOutput.map { Double($0 - started) / 1e9 }, serverCPU: counts.cpuSeconds,
            remarks: ended.map { String(decoding: $0.output, as: UTF8.self) }.joined())
    }
}

/// Sets the contestants up for a piece of work.
struct TransferContestants {
    let work: TransferWork
    let endpoint: String
    let scratch: ScratchFolder
    let peers: [Peer]
    /// Presigned URLs of objects that are there, by key.
    private var readable: [String: String] = [:]
    /// Presigned URLs for what the commands make, by key.
    private var writable: [String: String] = [:]

    init(_ work: TransferWork, server: ObjectServerProcess, scratch: ScratchFolder, peers: [Peer]) async throws {
        self.work = work
        endpoint = server.endpoint
        self.scratch = scratch
        self.peers = peers
        let store = S3Store(
            bucket: ObjectServerProcess.bucket,
            settings: S3Settings(endpoint: try HTTPURL(endpoint), region: "us-east-1", addressing: .path),
            credentials: StaticCredentials(TransferTaskCommand.credentials), client: try HTTPClient())
        for key in work.peerKeys {
            readable[key] = try await store.presign(.get(), key, expiresIn: .seconds(86_400)).url
        }
        for key in peers.indices.flatMap({ [output("peer\($0)"), output("url\($0)")] }) {
            writable[key] = try await store.presign(.put(), key, expiresIn: .seconds(86_400)).url
        }
    }

    /// In the order in which they take turns.
    func all() throws -> [TransferContestant] {
        let curl = Peer.resolve("curl")
        let rivals = try peers.enumerated().flatMap { index, peer -> [TransferContestant] in
            guard let curl else { return [] }
            let direct = try peer.readsURLs() ? [withURL(curl, peer, index)] : []
            return [withFiles(curl, peer, index)] + direct
        }
        return [try streaming()] + (try [false, true].map(wholeFiles)) + rivals + (try parts())
    }

    private func output(_ name: String) -> String { "out/\(work.name)-\(name)\(work.suffix)" }
    private func file(_ name: String) -> String { scratch.path("\(work.name)-\(name)\(work.suffix)") }
    /// Where a download of an object goes.
    private func local(_ key: String) -> String { scratch.path("got-\(key.split(separator: "/").last ?? "")") }

    // MARK: Ours

    private func streaming() throws -> TransferContestant {
        func place(_ key: String) -> String { "s3://\(ObjectServerProcess.bucket)/\(key)" }
        let key = output("streamed")
        let places = Dictionary(uniqueKeysWithValues: work.keys.map { ($0, place($0)) })
        return TransferContestant(
            name: "kiln, streaming", role: .streaming,
            steps: [try TransferTask.stream(work.request(places, place(key))).command(endpoint: endpoint)], output: key)
    }

    private func wholeFiles(inRanges: Bool) throws -> TransferContestant {
        let name = inRanges ? "ranges" : "whole"
        let key = output(name), path = file(name)
        let places = Dictionary(uniqueKeysWithValues: work.keys.map { ($0, local($0)) })
        let task = TransferTask.wholeFiles(
            work.request(places, path), download: work.keys.map { .init(key: $0, path: local($0)) },
            upload: [.init(key: key, path: path)], inRanges: inRanges)
        return TransferContestant(
            name: inRanges ? "kiln, whole files, by ranges" : "kiln, whole files",
            role: inRanges ? .rival : .usual, steps: [try task.command(endpoint: endpoint)], output: key,
            leaves: Array(places.values) + [path])
    }

    /// Reading, working and writing, each alone, in this order: what the second makes is what the third sends.
    private func parts() throws -> [TransferContestant] {
        let path = file("alone")
        var request = work.request([work.clip.key: work.clip.path], path)
        if case .burnSubtitles(var burn) = request {
            burn.subtitles = .file(scratch.path("captions.srt"))
            request = .burnSubtitles(burn)
        }
        return [
            TransferContestant(
                name: "reading alone", role: .part,
                steps: [try TransferTask.read(work.clip.key).command(endpoint: endpoint)]),
            TransferContestant(
                name: "working alone", role: .part, steps: [try TransferTask.files(request).command(endpoint: endpoint)]
            ),
            TransferContestant(
                name: "writing alone", role: .part,
                steps: [try TransferTask.write(.init(key: output("alone"), path: path)).command(endpoint: endpoint)],
                output: nil, leaves: [path]),
        ]
    }

    // MARK: Commands

    private func withFiles(_ curl: String, _ peer: Peer, _ index: Int) -> TransferContestant {
        let places = Dictionary(uniqueKeysWithValues: work.peerKeys.map { ($0, local($0)) })
        return contestant("curl + \(peer.name)", curl, peer, output("peer\(index)"), fetching: work.peerKeys, places)
    }

    /// The command reads the clip by itself; only what a filter reads is fetched first.
    private func withURL(_ curl: String, _ peer: Peer, _ index: Int) -> TransferContestant {
        var places = Dictionary(uniqueKeysWithValues: work.peerKeys.map { ($0, local($0)) })
        places[work.clip.key] = readable[work.clip.key]
        return contestant(
            "\(peer.name) reading a URL", curl, peer, output("url\(index)"),
            fetching: work.peerKeys.filter { $0 != work.clip.key }, places)
    }

    private func contestant(
        _ name: String, _ curl: String, _ peer: Peer, _ key: String, fetching: [String], _ places: [String: String]
    ) -> TransferContestant {
        let made = file("made")
        let quiet = ["-q", "--silent", "--show-error", "--fail"]
        // One command, and so one connection.
        let get = ChildProcess(
            program: curl,
            arguments: quiet + fetching.flatMap { ["--output", local($0), readable[$0] ?? ""] })
        let work = ChildProcess(program: peer.path, arguments: work.arguments(places, made))
        let put = ChildProcess(program: curl, arguments: quiet + ["--upload-file", made, writable[key] ?? ""])
        return TransferContestant(
            name: name, role: .rival, steps: (fetching.isEmpty ? [] : [get]) + [work, put], output: key,
            leaves: fetching.map(local) + [made])
    }
}

extension Peer {
    /// Whether it has a client of its own for `http:`.
    func readsURLs() throws -> Bool {
        let ended = try ChildProcess(program: path, arguments: ["-v", "error", "-protocols"]).run()
        return String(decoding: ended.output, as: UTF8.self).split(separator: "\n")
            .contains { $0.split(separator: " ") == ["http"] }
    }
}
