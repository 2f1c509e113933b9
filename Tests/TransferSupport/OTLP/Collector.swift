import Foundation
import Locking
import Transfer

/// A collector of spans that takes nothing on trust: what is not as OTLP's JSON has it is a problem.
/// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
final class Collector: Sendable {
    /// What it does with a request that is in order.
    enum Answer: Sendable {
        case accept
        /// Takes the batch but for so many spans.
        case refuse(Int)
        case status(Int, HTTPHeaders = [:])
        /// Says nothing, until the client goes.
        case stall
        case reset
    }

    private struct State {
        var script: [Answer]
        var problems: [String] = []
        var spans: [ReceivedSpan] = []
        var resources: [[String: OTLPValue]] = []
        var headers: [HTTPHeaders] = []
    }

    private let state: Locked<State>
    private let server: RawServer
    /// Each batch that was accepted, once it was answered.
    let batches: AsyncStream<[ReceivedSpan]>
    /// Raised by the first request.
    let wasAsked = AsyncFlag()

    /// - Parameter script: the answers, in order; then all is accepted.
    init(_ script: [Answer] = [], port: Int = 0) throws {
        let state = Locked(State(script: script))
        let (batches, arrival) = AsyncStream.makeStream(of: [ReceivedSpan].self)
        self.state = state
        self.batches = batches
        let wasAsked = wasAsked
        server = try RawServer(port: port) { connection in
            while let (request, body) = try connection.readRequest() {
                let batch = OTLPReader.batch(request, body)
                let answer = state.withLock { state in
                    state.headers.append(request.headers)
                    state.problems += batch.problems
                    return state.script.isEmpty ? Answer.accept : state.script.removeFirst()
                }
                wasAsked.raise()
                switch answer {
                case .accept, .refuse:
                    var response = "{}"
                    if case .refuse(let count) = answer {
                        response = #"{"partialSuccess":{"rejectedSpans":"\#(count)","errorMessage":"too old"}}"#
                    }
                    state.withLock { state in
                        state.spans += batch.spans
                        state.resources.append(batch.resource)
                    }
                    try connection.respond(
                        200, headers: ["Content-Type": "application/json"], body: Array(response.utf8))
                    arrival.yield(batch.spans)
                case .status(let status, let headers): try connection.respond(status, headers: headers)
                case .stall: return connection.waitForClose()
                case .reset: return connection.reset()
                }
            }
        }
    }

    var endpoint: HTTPURL { get throws { try HTTPURL(server.url("")) } }
    var port: Int { server.port }
    /// What was wrong with any request.
    var problems: [String] { state.withLock { $0.problems } }
    /// What was accepted.
    var spans: [ReceivedSpan] { state.withLock { $0.spans } }
    var resources: [[String: OTLPValue]] { state.withLock { $0.resources } }
    /// Of all requests.
    var headers: [HTTPHeaders] { state.withLock { $0.headers } }

    func stop() { server.stop() }
}
