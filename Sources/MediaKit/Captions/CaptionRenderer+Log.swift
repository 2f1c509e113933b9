import CAssShim

/// The owner of the bounded buffer that libass's messages go into.
///
/// Safe to use from any thread: the buffer has a lock of its own, and no Swift runs inside libass's callback.
final class CaptionLog {
    struct Message: Equatable {
        /// libass's level: 1 error, 2 warning, 4 information, 6 verbose.
        var level: Int
        var text: String
    }

    private let log: OpaquePointer

    /// - Parameters:
    ///   - capacity: how many messages fit; those that come when it is full are lost.
    ///   - level: the most talkative level that is kept.
    init(capacity: Int = 1024, level: Int = 6) throws {
        guard let log = cass_log_create(capacity, Int32(level)) else {
            throw MediaError(.resourceLimit, "no memory for the caption renderer's log")
        }
        self.log = log
    }

    deinit { cass_log_free(log) }

    /// The log must live longer than the library.
    func attach(to library: OpaquePointer) { cass_log_attach(log, library) }

    /// Takes all messages out, oldest first.
    func drain() -> [Message] {
        var messages: [Message] = []
        var message = cass_message()
        while cass_log_take(log, &message) != 0 {
            let text = withUnsafeBytes(of: message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            messages.append(Message(level: Int(message.level), text: text))
        }
        return messages
    }
}
