import JobQueue
import Transfer

extension Problem {
    /// What a client is told of an error. What only the operator may know, such as hosts and roles, is left out.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as QueueError: self.init(error)
        case let error as TransferError: self.init(error)
        case is CancellationError: self = .unavailable("the server is stopping")
        default: self = .fault
        }
    }

    private init(_ error: QueueError) {
        // States that forbid what is asked: 55000 object_not_in_prerequisite_state, KL005 the workflow is over.
        if ["55000", "23505", "KL005"].contains(error.sqlState) {
            self = .conflict(error.message, hint: error.hint)
            return
        }
        switch error.code {
        case .badRequest:
            self = Problem(
                422, "invalid", "The values are not acceptable", Self.sentence(error.message), hint: error.hint)
        case .notFound: self = .notFound(error.message, hint: error.hint)
        case .permission:
            self = .forbidden(
                "the server's database role may not do this", hint: "grant it kiln_worker, or use the schema's owner")
        case .schema: self = .unavailable("the database is not set up for this version", hint: "run kiln migrate")
        case .conflict: self = .unavailable("others were changing the same; try again")
        case .connectionLost, .cannotConnect, .deadline, .poolExhausted, .cancelled, .closed:
            self = .unavailable("the database cannot be reached or is busy")
        default: self = .fault
        }
    }

    private init(_ error: TransferError) {
        switch error.code {
        case .notFound: self = .notFound("the store has no such object")
        case .badURL, .unsupported:
            self = Problem(
                501, "no_store", "There is no store for this", error.message, hint: error.hint)
        case .badRequest: self = .conflict(error.message, hint: error.hint)
        case .internal: self = .fault
        default: self = .unavailable("the store cannot be reached, or refuses the server")
        }
    }

    /// Our SQL functions' messages begin with their name and a comma or colon, which says nothing to a caller of HTTP.
    private static func sentence(_ message: String) -> String {
        for name in ["enqueue_workflow", "enqueue_many", "enqueue", "schedule", "set_queue"]
        where message.hasPrefix(name + ": ") || message.hasPrefix(name + ", ") {
            return String(message.dropFirst(name.count + 2))
        }
        return message
    }
}
