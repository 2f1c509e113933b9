import Locking
import Providers
import Transfer
import TransferTestSupport

/// What stand-ins for chat services share: a server that reads questions, keeps those that are well formed, answers them or
/// fails as it is told, and objects to the others.
///
/// Thread-safe.
final class ChatService: Sendable {
    /// How a service speaks.
    struct Manner: Sendable {
        /// The header in which it names a request.
        var requestIDHeader: String
        /// Throws ``ServiceObjection`` for what it does not take. The number is not its concern.
        var question: @Sendable (RawRequest, [UInt8]) throws -> ChatQuestion
        /// The body of an answer.
        var answer: @Sendable (ChatStandInReply, ChatQuestion) -> JSONTree
        /// The answer to what it does not take.
        var objection: @Sendable (ServiceObjection) -> ServiceFault
    }

    let faults = ServiceFaults()
    private let server: RawServer
    private let asked: Locked<[ChatQuestion]>

    init(_ service: Manner, answer: @escaping @Sendable (ChatQuestion) -> ChatStandInReply) throws {
        let asked = Locked<[ChatQuestion]>([])
        self.asked = asked
        server = try RawServer { [faults] connection in
            while let (head, body) = try connection.readRequest() {
                let fault = faults.next()
                do {
                    var question = try service.question(head, body)
                    question.number = asked.withLock { all in
                        question.number = all.count + 1
                        all.append(question)
                        return all.count
                    }
                    try connection.answer(
                        200, service.answer(answer(question), question).text,
                        headers: [service.requestIDHeader: "req_\(question.number)"], fault: fault)
                } catch let objection as ServiceObjection {
                    try connection.answer(
                        200, "", headers: [service.requestIDHeader: "req_bad"], fault: service.objection(objection))
                }
            }
        }
    }

    func url(_ path: String) -> String { server.url(path) }
    /// Those that were well formed.
    var questions: [ChatQuestion] { asked.withLock { $0 } }
    /// All that came, also what was objected to.
    var requests: Int { server.requests.count }

    /// The members of a request's JSON, none of which may be unknown.
    ///
    /// - Parameters:
    ///   - malformed: what the service says of a body that is no JSON.
    ///   - odd: what it says of a member that it does not know.
    static func members(
        _ head: RawRequest, _ body: [UInt8], known: Set<String>, malformed: ServiceObjection,
        odd: (String) -> ServiceObjection
    ) throws -> JSONTree {
        guard head.headers["Content-Type"] == "application/json", let json = try? JSONTree(parsing: body),
            let members = json.members
        else { throw malformed }
        if let member = members.first(where: { !known.contains($0.name) }) { throw odd(member.name) }
        return json
    }
}
