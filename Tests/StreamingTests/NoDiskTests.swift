import Foundation
import MediaKit
import ProcessTestSupport
import TestSupport
import Testing
import TransferTestSupport

extension Streaming {
    /// A burn-in from store to store leaves the disk alone: shown on the command, in a process of its own.
    @Suite(.timeLimit(.minutes(3))) struct NoDiskTests {
        /// Makes the kernel end whoever writes a byte into a regular file: any user's process, on any file system, those
        /// in memory and files without a name among them (RLIMIT_FSIZE in setrlimit(2)).
        private static let withoutFiles = ["sh", "-c", #"ulimit -f 0; exec "$0" "$@""#]

        /// So much grain that the output is several parts of the usual size.
        private static let film = RawMovie(width: 640, height: 360, frames: 160, grain: 150)

        /// A server with the film and words, and the command that burns them in.
        private static func bench() async throws -> (StreamingBench, burn: @Sendable (String) -> [String]) {
            let bench = try StreamingBench()
            bench.server["in/film.mkv"] = S3Object(.made(size: film.size) { film.bytes($0) })
            bench.server.put("in/words.srt", try await Work.words.bytes())
            return (
                bench,
                { output in
                    [
                        "burn", bench.location("in/film.mkv"), bench.location("in/words.srt"), output, "--bitexact",
                        "--threads", "2", "--preset", "ultrafast", "--crf", "2",
                    ]
                }
            )
        }

        @Test func `A burn-in from store to store gets by where no file can be written`() async throws {
            let (bench, burn) = try await Self.bench()
            // The first run on a machine may write fontconfig's cache of its fonts, which is not the film's.
            let usual = try await KilnProcess.run(burn(bench.location("usual.mp4")), environment: bench.environment)
            #expect(usual.status == 0, "\(usual.error)")
            let outcome = try await KilnProcess.run(
                burn(bench.location("out.mp4")), environment: bench.environment, launcher: Self.withoutFiles)
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(bench.server.requests(.uploadPart).count >= 4, "two parts each, or more")
            #expect((bench.server["out.mp4"]?.size ?? 0) > 17 << 20)
            #expect(difference(bench.server.bytes("out.mp4"), bench.server.bytes("usual.mp4")) == nil)
            #expect(bench.server.uploads.isEmpty)
            // Where a file is to be written, that ends it.
            let toFile = try await KilnProcess.run(
                burn(bench.scratch("out.mp4")), environment: bench.environment, launcher: Self.withoutFiles)
            #expect(toFile.status != 0)
        }

        @Test(.enabled(if: Strace.works, "there is no strace, or it may not trace: scripts/setup --test installs it"))
        func `A burn-in from store to store opens no file for writing`() async throws {
            let (bench, burn) = try await Self.bench()
            _ = try await KilnProcess.run(burn(bench.location("first.mp4")), environment: bench.environment)
            let log = bench.scratch("calls")
            let outcome = try await KilnProcess.run(
                burn(bench.location("out.mp4")), environment: bench.environment, launcher: Strace.launcher(log: log))
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(difference(bench.server.bytes("out.mp4"), bench.server.bytes("first.mp4")) == nil)
            #expect(try Strace.changes(log) == [])
            // It sees what it looks for.
            let toFile = try await KilnProcess.run(
                burn(bench.scratch("out.mp4")), environment: bench.environment, launcher: Strace.launcher(log: log))
            #expect(toFile.status == 0, "\(toFile.error)")
            #expect(try Strace.changes(log).contains { $0.contains(bench.scratch.path) })
        }
    }
}

/// The system calls of a process that change what is in a folder or may write into a file.
enum Strace {
    /// A question mark before a name: not every processor's system has all.
    private static let calls =
        "trace="
        + [
            "open", "openat", "openat2", "creat", "mkdir", "mkdirat", "mknod", "mknodat", "link", "linkat", "symlink",
            "symlinkat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "truncate", "ftruncate",
            "memfd_create",
        ].map { "?\($0)" }.joined(separator: ",")

    static func launcher(log: String) -> [String] { ["strace", "-f", "-qq", "-o", log, "-e", calls] }

    /// Whether it is here and may trace: containers may not allow it.
    static let works: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["strace", "-f", "-qq", "-o", "/dev/null", "true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        return process.waitForOwnEnd() == 0
    }()

    /// The calls that succeeded and are not mere reading. Devices and /proc hold no bytes of anybody's.
    static func changes(_ log: String) throws -> [String] {
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map(String.init)
        return lines.filter { line in
            guard !line.contains("= -1 "), line.contains("("), !line.contains("\"/dev/"), !line.contains("\"/proc/")
            else {
                return false
            }
            guard line.contains("open") else { return true }
            return ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TMPFILE", "creat("].contains { line.contains($0) }
        }
    }
}
