import ByteIO
import Foundation
import JobQueue
import Logging
import MediaKit
import TestSupport
import Testing
import Transfer

@testable import Worker

private let engineRows: [(MediaError.Code, FailureVerdict.Kind)] = [
    (.badRequest, .permanent), (.badInput, .permanent), (.unsupported, .permanent),
    (.notFound, .permanent), (.cannotCreate, .permanent), (.resourceLimit, .permanent), (.io, .transient),
    (.internal, .transient), (.configuration, .transient), (.cancelled, .stopped),
    (.init(rawValue: "of a later version"), .transient),
]

private let fileRows: [(ByteIOError.Code, FailureVerdict.Kind)] = [
    (.notFound, .permanent), (.exists, .permanent), (.permission, .permanent),
    (.tooLarge, .permanent), (.notSeekable, .permanent), (.noSpace, .transient), (.io, .transient),
    (.cancelled, .stopped),
]

private let transferRows: [(TransferError.Code, FailureVerdict.Kind)] = [
    (.badURL, .permanent), (.badRequest, .permanent),
    (.forbiddenAddress, .permanent), (.badRedirect, .permanent), (.tooLarge, .permanent), (.notFound, .permanent),
    (.accessDenied, .permanent), (.exists, .permanent), (.unsupported, .permanent), (.notSeekable, .permanent),
    (.cannotResolve, .transient), (.cannotConnect, .transient), (.timeout, .transient),
    (.connectionLost, .transient), (.badResponse, .transient), (.checksum, .transient), (.throttled, .transient),
    (.tls, .transient), (.credentials, .transient), (.changed, .transient), (.io, .transient),
    (.closed, .transient), (.internal, .transient), (.cancelled, .stopped), (.superseded, .stopped),
]

private let statusRows: [(Int, FailureVerdict.Kind)] = [
    (400, .permanent), (401, .permanent), (403, .permanent), (404, .permanent), (405, .permanent),
    (409, .permanent), (410, .permanent), (413, .permanent), (418, .permanent), (422, .permanent),
    (408, .transient), (425, .transient), (429, .transient), (500, .transient), (501, .transient), (502, .transient),
    (503, .transient), (504, .transient), (599, .transient),
]

/// What errors mean for their jobs, row by row.
@Suite struct FailureVerdictTests {
    @Test(arguments: engineRows)
    func `The engine's errors`(_ code: MediaError.Code, _ kind: FailureVerdict.Kind) {
        #expect(FailureVerdict(MediaError(code, "no")).kind == kind)
    }

    @Test(arguments: fileRows)
    func `Those of files`(_ code: ByteIOError.Code, _ kind: FailureVerdict.Kind) {
        let error = ByteIOError(code, "no")
        #expect(FailureVerdict(error).kind == kind)
        // A full disk is `io` to the engine.
        #expect(FailureVerdict(MediaError(.io, "no", cause: error)).kind == kind)
    }

    @Test(arguments: transferRows)
    func `Those of transfers, bare and behind the engine's`(_ code: TransferError.Code, _ kind: FailureVerdict.Kind) {
        let error = TransferError(code, "no")
        #expect(FailureVerdict(error).kind == kind)
        #expect(FailureVerdict(MediaError(store: error, input: "s3://a/b")).kind == kind)
        #expect(FailureVerdict(MediaError(store: error, output: "s3://a/b")).kind == kind)
    }

    @Test(arguments: statusRows)
    func `Those of statuses`(_ status: Int, _ kind: FailureVerdict.Kind) {
        #expect(FailureVerdict.kind(ofStatus: status) == kind)
        #expect(FailureVerdict(TransferError(.status, "no", status: status)).kind == kind)
    }

    @Test func `A server that asks to come back later is, whatever the code`() throws {
        let error = TransferError(.status, "no", status: 503, retryAfter: .seconds(60), isRetryable: true)
        let verdict = FailureVerdict(MediaError(store: error, input: "s3://a/b"))
        #expect(verdict.kind == .transient)
        let thrown = try #require(verdict.logging(to: Logger(label: "test")) as? JobError)
        guard case .retry(let after, _) = thrown else { return #expect(Bool(false), "\(thrown)") }
        #expect(after == .seconds(60))
        #expect(FailureVerdict(TransferError(.accessDenied, "expired", isRetryable: true)).kind == .transient)
    }

    @Test func `Memory that the machine has not is no limit of the request`() throws {
        let limit = MediaError(.resourceLimit, "the input is longer than the limit of 3 s")
        #expect(FailureVerdict(limit).kind == .permanent)
        let libav = try JSONDecoder().decode(
            MediaError.Libav.self, from: Data(#"{"code": -12, "text": "Cannot allocate memory"}"#.utf8))
        let memory = MediaError(.resourceLimit, "no memory", libav: libav)
        #expect(FailureVerdict(memory).kind == .transient)
    }

    @Test func `What the queue throws passes through, and a cancel is one`() {
        let logger = Logger(label: "test")
        let snooze = JobError.snooze(until: .distantFuture)
        #expect(FailureVerdict(snooze).logging(to: logger) as? JobError == snooze)
        let lost = QueueError(.leaseLost, "lost")
        #expect((FailureVerdict(lost).logging(to: logger) as? QueueError)?.code == .leaseLost)
        #expect(FailureVerdict(MediaError(.cancelled, "cancelled")).logging(to: logger) is CancellationError)
        let permanent = FailureVerdict(MediaError(.badInput, "not media")).logging(to: logger)
        #expect(permanent as? JobError == .permanent("not media"))
    }
}
