package import Transfer

/// What a ``S3Server`` does instead of what it should.
package enum S3Fault: Sendable {
    /// This status, with an error document of this code. The request has no effect.
    case status(Int, code: String, headers: HTTPHeaders = [:])
    /// 200 with an error document: what S3 does where a copy or completion fails late. No effect.
    case errorWithOK(code: String)
    /// An answer that leads elsewhere.
    case redirect(Int, to: String)
    /// The connection is reset once the request was read. No effect.
    case reset
    /// The connection is reset after that many bytes of the request's body. No effect.
    case resetUpload(after: Int)
    /// The request takes effect, and then the connection is reset instead of an answer.
    case loseAnswer
    /// The connection is reset after that many bytes of the answer's body.
    case resetBody(after: Int)
    /// The connection is closed after that many bytes of the answer's body, in good order.
    case truncate(after: Int)
    /// Nothing comes any more after that many bytes of the answer's body, until the client goes, which raises `gone`.
    case stall(after: Int, gone: ThreadSignal? = nil)
    /// No answer at all, until the client goes. No effect.
    case silence
    /// The answer's body comes in pieces of that many bytes, with pauses.
    case drip(bytes: Int, milliseconds: Int)
    /// `Content-Length` says that many bytes more than there are, or fewer; as many come as it says, zeros at the end.
    case wrongLength(by: Int)
    /// 200 and the whole object, whatever range was asked for; for an open-ended range, too.
    case ignoreRange
    /// 206 of a range that begins that many bytes further than asked for.
    case shiftRange(by: Int64)
    /// Answers as it should, once the signal is raised.
    case hold(ThreadSignal)
    /// The request takes effect, which raises `done`, and is answered once the signal is raised.
    case holdAnswer(ThreadSignal, done: AsyncFlag)
}
