import Foundation
import JobQueue
import MediaKit
import ServiceTestSupport
import TestSupport
import Testing
import Transfer

@testable import Worker

/// `kiln dev` as a process of its own, with the Postgres that it starts.
@Suite(.serialized) struct DevCommandTests {
    private static let subtitles = "1\n00:00:00,000 --> 00:00:02,000\nHello\n"

    /// A folder with a video of two seconds.
    private func folder(captions: Bool = true, sound: Bool = true) throws -> Scratch {
        let folder = try Scratch()
        var clip = TestClip.ordinary(seconds: 2, width: 320, height: 180)
        if !sound { clip.audio = [] }
        try folder.put("talk.mkv", clip.bytes)
        if captions { try folder.put("talk.srt", Array(Self.subtitles.utf8)) }
        return folder
    }

    /// The command lines, by process, that name something in a folder.
    private func commands(in folder: Scratch) -> [pid_t: String] {
        let numbers = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
        let commands = numbers.filter { $0 != getpid() }.compactMap { number -> (pid_t, String)? in
            let bytes = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") ?? Data()
            let words = String(decoding: bytes, as: UTF8.self).replacing("\0", with: " ")
            return words.contains(folder.path) ? (number, words) : nil
        }
        return Dictionary(uniqueKeysWithValues: commands)
    }

    private func processes(in folder: Scratch) -> [String] { Array(commands(in: folder).values) }

    /// The folder of Postgres's socket, by the URL that is printed.
    private func socketFolder(_ printed: String) throws -> String {
        let rest = try #require(printed.firstRange(of: "?host=/tmp/kiln-"))
        return "/tmp/kiln-" + printed[rest.upperBound...].prefix { $0 != "&" }
    }

    /// The process that has the folder, once it has it.
    private func process(in folder: Scratch) async throws -> pid_t {
        try await answer {
            let text = try? String(contentsOfFile: folder(".kiln/lock"), encoding: .utf8)
            return text.flatMap { pid_t($0.trimmingCharacters(in: .newlines)) }
        }
    }

    /// Waits until the API answers and the clip to try it on is there.
    private func ready(_ folder: Scratch, _ port: Int) async throws {
        let client = try HTTPClient()
        _ = try await answer { () async throws -> Bool? in
            guard FileManager.default.fileExists(atPath: folder(".kiln/store/sample.mp4")),
                FileManager.default.fileExists(atPath: folder(".kiln/store/sample.srt"))
            else { return nil }
            let url = try HTTPURL("http://127.0.0.1:\(port)/ready")
            return try? await client.send(HTTPRequest(.get, url, destination: .trusted)).status == 200
        }
        await client.shutdown()
    }

    @Test func `A video with captions beside it comes out with them, and nothing else is left`() async throws {
        let folder = try folder()
        let outcome = try await KilnProcess.run(["dev", "talk.mkv", "--port", "0"], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.error)")
        let output = folder("out/talk.captioned.mkv")
        #expect(outcome.text == output + "\n")
        #expect(outcome.error.contains("the captions of talk.srt"))
        let info = try await MediaEngine().run(Probe(input: output))
        #expect(info.streams.map(\.codec).first == "h264" && abs((info.duration ?? 0) - 2) < 0.2)
        #expect(folder.names == ["out", "talk.mkv", "talk.srt"])
        #expect(processes(in: folder).isEmpty)
    }

    @Test(.enabled(if: SpeechTranscribeTests.canRecognise))
    func `A video without captions gets what is recognised of its sound, and is told what that is worth`() async throws
    {
        let folder = try Scratch()
        try folder.put("talk.mp4", Array(Data(contentsOf: URL(filePath: Media.file("video/friday_480p_speech.mp4")))))
        let outcome = try await KilnProcess.run(
            ["dev", "talk.mp4", "--port", "0"], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.error.contains("by pocketsphinx, a draft"), "\(outcome.error)")
        #expect(!outcome.error.contains("Current configuration"))
        let made = try DecodedMedia(path: folder("out/talk.captioned.mp4"), pictureWidth: 640, keepsSound: false)
        // The film is gray; the words that have been spoken are not.
        let colored = try #require(made.video).frames.filter { frame in
            frame.planes.dropFirst().contains { plane in plane.samples.contains { abs(Int($0) - 128) > 60 } }
        }
        #expect(colored.count > 50)
    }

    @Test func `A video without captions and sound gets a time code, and the result is told as JSON`() async throws {
        struct Report: Decodable {
            var output: String
            var job: String
            var result: JobResult
        }
        let folder = try folder(captions: false, sound: false)
        let outcome = try await KilnProcess.run(
            ["dev", "talk.mkv", "--output", "made/a.mp4", "--json", "--port", "0"], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.error)")
        let report = try outcome.decoded(Report.self)
        #expect(report.output == folder("made/a.mp4") && report.result.container == "mp4")
        #expect(UUID(uuidString: report.job) != nil && outcome.error.contains("a running time code"))
        #expect(folder.names == ["made", "talk.mkv"])
    }

    @Test func `What is not media is said to be none, and nothing is left`() async throws {
        let folder = try Scratch()
        try folder.put("talk.mp4", Array("this is no movie".utf8))
        try folder.put("talk.srt", Array(Self.subtitles.utf8))
        let outcome = try await KilnProcess.run(["dev", "talk.mp4", "--port", "0"], in: folder.path)
        #expect(outcome.status == ExitStatus.jobFailed.rawValue && outcome.output.isEmpty, "\(outcome.error)")
        #expect(folder.names == ["talk.mp4", "talk.srt"])
        let none = try await KilnProcess.run(["dev", "none.mp4"], in: folder.path)
        #expect(none.status == ExitStatus.noInput.rawValue)
    }

    @Test func `Stopped while Postgres is made, it leaves nothing`() async throws {
        let folder = try folder()
        let outcome = try await KilnProcess.run(["dev", "talk.mkv"], in: folder.path, interruption: SIGINT)
        #expect(outcome.status == ExitStatus.cancelled.rawValue, "\(outcome.error)")
        #expect(folder.names == ["talk.mkv", "talk.srt"])
        #expect(processes(in: folder).isEmpty)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")))
    func `The lines that it prints work as they are pasted, and Ctrl-C ends it`() async throws {
        let folder = try Scratch()
        let port = try DevPort.find(0)
        async let running = KilnProcess.run(["dev", "--port", "\(port)"], in: folder.path)
        // What goes wrong below must not leave it running, and this waiting for it.
        defer { for identifier in commands(in: folder).keys { kill(identifier, SIGKILL) } }
        try await ready(folder, port)
        let api = "http://127.0.0.1:\(port)"
        let text = DevText.trial(
            api: api,
            DevStore.Work(input: "store://sample.mp4", subtitles: .file("store://sample.srt")))
        let lines = text.split(separator: "\n").dropFirst()
        #expect(lines.count == 3)
        let enqueue = try #require(lines.first)
        let id = try await shell("\(enqueue)\necho $job", in: folder)
        #expect(UUID(uuidString: id) != nil)
        let look = try #require(lines.dropFirst().first)
        struct State: Decodable { var state: String }
        let state = try await answer { () async throws -> String? in
            // Its steps have states of their own.
            let text = try await shell("job=\(id)\n\(look)", in: folder)
            let job = try JSONDecoder().decode(State.self, from: Data(text.utf8))
            return ["succeeded", "dead"].first { $0 == job.state }
        }
        #expect(state == "succeeded")
        _ = try await shell("job=\(id)\n\(try #require(lines.last))", in: folder)
        let info = try await MediaEngine().run(Probe(input: folder("captioned.mp4")))
        #expect(info.streams.contains { $0.codec == "h264" })
        // Another one has to go elsewhere.
        let second = try await KilnProcess.run(["dev"], in: folder.path)
        #expect(second.status == ExitStatus.resourceLimit.rawValue)
        #expect(second.error.contains("runs in this folder already"))
        kill(try await process(in: folder), SIGINT)
        let outcome = try await running
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.error.contains(text))
        #expect(folder.names == ["captioned.mp4"] && processes(in: folder).isEmpty)
    }

    @Test func `Killed, it leaves nothing, and the folder is free at once`() async throws {
        let folder = try Scratch()
        let port = try DevPort.find(0)
        async let running = KilnProcess.run(["dev", "--port", "\(port)"], in: folder.path)
        // What goes wrong below must not leave it running, and this waiting for it.
        defer { for identifier in commands(in: folder).keys { kill(identifier, SIGKILL) } }
        try await ready(folder, port)
        #expect(!processes(in: folder).isEmpty)
        kill(try await process(in: folder), SIGKILL)
        let socket = try socketFolder(try await running.error)
        _ = try await answer { isTidy(folder, socket) ? true : nil }
        let next = try await KilnProcess.run(["dev", "--sample", "--port", "0", "--quiet"], in: folder.path)
        #expect(next.status == 0, "\(next.error)")
        #expect(folder.names == ["out"] && next.text == folder("out/sample.captioned.mp4") + "\n")
    }

    @Test func `Told a second time to end, it does not wait for the first, and nothing is left`() async throws {
        let folder = try Scratch()
        let port = try DevPort.find(0)
        async let running = KilnProcess.run(["dev", "--port", "\(port)"], in: folder.path)
        // What goes wrong below must not leave it running, and this waiting for it.
        defer { for identifier in commands(in: folder).keys { kill(identifier, SIGKILL) } }
        try await ready(folder, port)
        let identifier = try await process(in: folder)
        // What ends Postgres and removes the folders stands still: an orderly end has to wait for it.
        let leash = try #require(commands(in: folder).first { $0.value.contains(" kiln-dev ") }?.key)
        kill(leash, SIGSTOP)
        defer { kill(leash, SIGCONT) }
        kill(identifier, SIGTERM)
        // It was noticed when the API listens no more.
        let client = try HTTPClient(HTTPConfiguration(retries: .none))
        let url = try HTTPURL("http://127.0.0.1:\(port)/ready")
        _ = try await answer { () async throws -> Bool? in
            do { _ = try await client.send(HTTPRequest(.get, url, destination: .trusted)) } catch { return true }
            return nil
        }
        await client.shutdown()
        #expect(processIsThere(identifier))
        kill(identifier, SIGTERM)
        let outcome = try await running
        #expect(outcome.status == ExitStatus.cancelled.rawValue, "\(outcome.error)")
        let socket = try socketFolder(outcome.error)
        #expect(!isTidy(folder, socket))
        kill(leash, SIGCONT)
        _ = try await answer { isTidy(folder, socket) ? true : nil }
    }

    private func isTidy(_ folder: Scratch, _ socketFolder: String) -> Bool {
        processes(in: folder).isEmpty && folder.names.isEmpty && access(socketFolder, F_OK) != 0
    }

    private func processIsThere(_ identifier: pid_t) -> Bool { kill(identifier, 0) == 0 }

    @Test func `What is kept is found again, though a crash has left a note of a server`() async throws {
        let folder = try folder()
        let arguments = ["dev", "talk.mkv", "--port", "0"]
        let first = try await KilnProcess.run(arguments + ["--keep"], in: folder.path)
        #expect(first.status == 0, "\(first.error)")
        let data = folder(".kiln/postgres/data")
        let made = try inode(data + "/PG_VERSION")
        // The number is somebody else's by now: this process's.
        try Data("\(getpid())\n\(data)\n".utf8).write(to: URL(filePath: data + "/postmaster.pid"))
        let second = try await KilnProcess.run(arguments, in: folder.path)
        #expect(second.status == 0, "\(second.error)")
        #expect(try inode(data + "/PG_VERSION") == made)
        let results = try FileManager.default.contentsOfDirectory(atPath: folder(".kiln/store/rendered"))
        #expect(results.count == 2)
        #expect(processes(in: folder).isEmpty)
    }

    @Test(.enabled(if: geteuid() == 0, "a folder is closed to another user than root"))
    func `Where the user of Postgres does not get to the folder, its data lies elsewhere`() async throws {
        let folder = try folder()
        chmod(folder.path, 0o700)
        let outcome = try await KilnProcess.run(["dev", "talk.mkv", "--keep", "--port", "0"], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.error)")
        let place = try FileManager.default.destinationOfSymbolicLink(atPath: folder(".kiln/postgres"))
        defer { try? FileManager.default.removeItem(atPath: place) }
        #expect(place.hasPrefix("/var/tmp/kiln-"))
        #expect(FileManager.default.fileExists(atPath: place + "/data/PG_VERSION"))
    }

    // MARK: What others have laid

    /// A folder with a file in it that is to stay as it is, its mode 0o755.
    private func victim() throws -> Scratch {
        let victim = try Scratch()
        try victim.put("postgres.log", Array("precious".utf8))
        try FileManager.default.createDirectory(atPath: victim("store"), withIntermediateDirectories: false)
        chmod(victim.path, 0o755)
        return victim
    }

    private func isUntouched(_ victim: Scratch) throws -> Bool {
        var info = stat()
        try #require(stat(victim.path, &info) == 0)
        return victim.names == ["postgres.log", "store"] && info.st_uid == geteuid() && info.st_mode & 0o777 == 0o755
    }

    /// Runs where it must refuse. It finds no Postgres: should it not refuse, it soon ends otherwise.
    private func refusal(in folder: Scratch) async throws -> String {
        let outcome = try await KilnProcess.run(
            ["dev", "--port", "0"], in: folder.path, environment: ["KILN_POSTGRES_BIN": folder.path])
        #expect(outcome.status == ExitStatus.cannotCreate.rawValue, "\(outcome.error)")
        return outcome.error
    }

    @Test func `A link in the place of its folder is refused, and where it leads nothing is touched`() async throws {
        let (folder, victim) = (try Scratch(), try victim())
        symlink(victim.path, folder(".kiln"))
        #expect(try await refusal(in: folder).contains("\(folder(".kiln")) is no folder"))
        #expect(try isUntouched(victim))
    }

    @Test(arguments: ["postgres", "store"])
    func `A link in the place of a folder that is kept is refused, and where it leads nothing is touched`(
        _ name: String
    ) async throws {
        let (folder, victim) = (try Scratch(), try victim())
        mkdir(folder(".kiln"), 0o711)
        try folder.put(".kiln/kept", [])
        symlink(victim.path, folder(".kiln/\(name)"))
        #expect(try await refusal(in: folder).contains(folder(".kiln/\(name)")))
        #expect(try isUntouched(victim))
        #expect(access(folder(".kiln/kept"), F_OK) == 0)
    }

    @Test func `A folder that others may write to is refused`() async throws {
        let folder = try Scratch()
        mkdir(folder(".kiln"), 0o711)
        chmod(folder(".kiln"), 0o775)
        try folder.put(".kiln/postgres.log", Array("precious".utf8))
        #expect(try await refusal(in: folder).contains("may be written to by other users"))
        #expect(folder.bytes(".kiln/postgres.log") == Array("precious".utf8))
    }

    @Test(.enabled(if: geteuid() == 0, "another user's folder has to be made"))
    func `Another user's folder is refused, and what is in it stays`() async throws {
        let (folder, victim) = (try Scratch(), try victim())
        mkdir(folder(".kiln"), 0o711)
        try folder.put(".kiln/kept", [])
        symlink(victim.path, folder(".kiln/postgres"))
        chown(folder(".kiln"), 54321, 54321)
        #expect(try await refusal(in: folder).contains("belongs to another user, number 54321"))
        #expect(try isUntouched(victim) && access(folder(".kiln/kept"), F_OK) == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "another user's folder has to be made"), arguments: [true, false])
    func `A link below the folder of temporary files leads it to no other user's data`(_ isKept: Bool) async throws {
        let folder = try Scratch()
        let other = "/var/tmp/kiln-\(UUID().uuidString)"
        try #require(mkdir(other, 0o700) == 0)
        defer { try? FileManager.default.removeItem(atPath: other) }
        try Data("precious".utf8).write(to: URL(filePath: other + "/file"))
        chown(other, 54321, 54321)
        mkdir(folder(".kiln"), 0o711)
        symlink(other, folder(".kiln/postgres"))
        if isKept {
            try folder.put(".kiln/kept", [])
            #expect(try await refusal(in: folder).contains("is a link to \(other)"))
        } else {
            // The link is of no use and goes; it has to find Postgres then, which it does not.
            let outcome = try await KilnProcess.run(
                ["dev"], in: folder.path, environment: ["KILN_POSTGRES_BIN": folder.path])
            #expect(outcome.status == ExitStatus.noInput.rawValue && folder.names.isEmpty, "\(outcome.error)")
        }
        var info = stat()
        #expect(stat(other + "/file", &info) == 0 && stat(other, &info) == 0 && info.st_uid == 54321)
    }

    // MARK: The environment

    @Test func `Libpq's variables do not lead it to another server`() async throws {
        let folder = try folder()
        let outcome = try await KilnProcess.run(
            ["dev", "talk.mkv", "--port", "0"], in: folder.path,
            environment: [
                "PGHOSTADDR": "127.0.0.1", "PGHOST": "127.0.0.1", "PGPORT": "1", "PGSERVICE": "elsewhere",
                "PGDATABASE": "elsewhere", "PGOPTIONS": "-c no.such=1 -c nothing=1", "PGSSLMODE": "verify-full",
            ])
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(folder.names == ["out", "talk.mkv", "talk.srt"])
    }

    @Test func `Messages to the app are signed with a key that is given or made up`() throws {
        let key = Array("a key of twenty-four byt".utf8)
        let text = "whsec_" + Data(key).base64EncodedString()
        let given = try DevEnvironment.signing(["KILN_WEBHOOK_SECRET": text])
        #expect(given.keys == [key] && given.made == nil)
        let (one, other) = (try DevEnvironment.signing([:]), try DevEnvironment.signing(["KILN_WEBHOOK_SECRET": ""]))
        #expect(one.keys != other.keys && one.keys.first?.count == 32)
        // It is what an app may set its own variable to.
        let read = try DevEnvironment.signing(["KILN_WEBHOOK_SECRET": try #require(one.made)])
        #expect(read.keys == one.keys)
        let error = #expect(throws: MediaError.self) {
            try DevEnvironment.signing(["KILN_WEBHOOK_SECRET": "hush-hush"])
        }
        #expect(error?.code == .configuration && error?.description.contains("hush-hush") == false)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")))
    func `An app is asked, with the signature that was printed`() async throws {
        let folder = try Scratch()
        let port = try DevPort.find(0)
        let app = try Receiver { _ in (200, ["Content-Type": "application/json"], #"{"sum": 3}"#) }
        async let running = KilnProcess.run(["dev", "--port", "\(port)"], in: folder.path)
        // What goes wrong below must not leave it running, and this waiting for it.
        defer { for identifier in commands(in: folder).keys { kill(identifier, SIGKILL) } }
        try await ready(folder, port)
        _ = try await shell(
            "curl -sf http://127.0.0.1:\(port)/v1/jobs -H 'Content-Type: application/json' -d "
                + #"'{"kind": "http.request", "payload": {"url": "\#(app.url())", "body": {}}}'"#, in: folder)
        let message = try await answer { app.messages.first }
        kill(try await process(in: folder), SIGINT)
        let text = try await running.error
        let secret = try #require(text.split(separator: "signed with ").dropFirst().first?.split(separator: "\n").first)
        let keys = try DevEnvironment.signing(["KILN_WEBHOOK_SECRET": String(secret)]).keys
        #expect(try message.isSigned(with: #require(keys.first)))
    }

    @Test func `Without a Postgres server it says what to install, and leaves nothing`() async throws {
        let folder = try folder()
        let outcome = try await KilnProcess.run(
            ["dev", "talk.mkv"], in: folder.path, environment: ["KILN_POSTGRES_BIN": folder.path])
        #expect(outcome.status == ExitStatus.noInput.rawValue && outcome.error.contains("KILN_POSTGRES_BIN"))
        #expect(folder.names == ["talk.mkv", "talk.srt"])
    }

    @Test func `Captions beside a video come before those within, and those before speech`() async throws {
        let talking = try self.folder(captions: false)
        #expect(try await DevCaptions.find(for: talking("talk.mkv")) == .speech)
        let folder = try folder(captions: false, sound: false)
        let video = folder("talk.mkv")
        guard case .timeCode(let seconds) = try await DevCaptions.find(for: video) else {
            Issue.record("there are no captions")
            return
        }
        #expect(abs(seconds - 2) < 0.1)
        var clip = TestClip.ordinary(seconds: 2)
        clip.texts = [TestClip.Text([(0, 1000, "Within")])]
        try folder.put("text.mkv", clip.bytes)
        #expect(try await DevCaptions.find(for: folder("text.mkv")) == .embedded)
        try folder.put("text.ass", Array("[Script Info]\n".utf8))
        #expect(try await DevCaptions.find(for: folder("text.mkv")) == .file(folder("text.ass")))
        try folder.put("text.vtt", Array("WEBVTT\n".utf8))
        #expect(try await DevCaptions.find(for: folder("text.mkv")) == .file(folder("text.vtt")))
    }

    @Test func `A time code has a cue for each second, with the name above it`() throws {
        let text = DevCaptions.timeCode("a.mp4", seconds: 61.2)
        let document = try SubtitleDocument.parse(Array(text.utf8), name: "a.srt")
        #expect(document.format == .srt && document.warnings.isEmpty)
        #expect(text.hasPrefix("1\n00:00:00,000 --> 00:00:01,000\na.mp4\n00:00:00\n\n"))
        #expect(text.hasSuffix("62\n00:01:01,000 --> 00:01:02,000\na.mp4\n00:01:01\n\n"))
    }

    @Test(arguments: [
        ("/a/talk.mp4", "out/talk.captioned.mp4"), ("/a/talk.M4V", "out/talk.captioned.mp4"),
        ("/a/b.c.mov", "out/b.c.captioned.mov"), ("/a.b/talk", "out/talk.captioned.mkv"),
        ("talk.webm", "out/talk.captioned.mkv"),
    ]) func `A result is named after its video, in a container that takes its sound`(_ video: String, _ output: String)
    {
        #expect(DevRun.usualOutput(of: video) == output)
    }

    private func inode(_ path: String) throws -> UInt {
        var info = stat()
        try #require(stat(path, &info) == 0)
        return info.st_ino
    }

    /// What a shell prints that is given some lines.
    private func shell(_ lines: String, in folder: Scratch) async throws -> String {
        let file = try folder.put("lines.sh", Array(lines.utf8))
        defer { unlink(file) }
        let log = folder("lines.log")
        defer { unlink(log) }
        let script = "cd '\(folder.path)' && . ./lines.sh"
        #expect(try await ChildProcess(["/bin/sh", "-c", script], log: log).wait() == 0)
        return String(decoding: folder.bytes("lines.log"), as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
    }
}
