import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Looks after one connection: answers what is no HTTP, hangs up after an answer that says so, and on clients that do
/// not read what they are sent.
///
/// Used on its connection's event loop only, as every channel handler is.
final class ConnectionLimits: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let unread: TimeAmount
    /// Requests whose head has come and whose answer has not been written to the end.
    private var underWay = 0
    private var isClosing = false
    /// What arrived was no request, and nor is the rest of it.
    private var isRefusing = false
    private var unreadTimer: Scheduled<Void>?

    init(unread: Duration) {
        self.unread = TimeAmount(unread)
    }

    func handlerRemoved(context: ChannelHandlerContext) { unreadTimer?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefusing else { return }
        if case .head = unwrapInboundIn(data) { underWay += 1 }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            if head.headerFields[.connection]?.lowercased() == "close" { isClosing = true }
            context.write(data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            underWay -= 1
            guard isClosing else {
                context.write(data, promise: promise)
                return
            }
            context.writeAndFlush(data, promise: promise)
            linger(context)
        }
    }

    /// Ends the answer's direction, and the other a little later: were the socket closed with bytes unread, the client
    /// might see a reset in place of the answer. RFC 9112, §9.6.
    private func linger(_ context: ChannelHandlerContext) {
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Not of the connection itself, and no request has begun that somebody else would answer.
        guard !(error is IOError), !(error is ChannelError), underWay == 0, !isClosing else {
            context.fireErrorCaught(error)
            return
        }
        isClosing = true
        isRefusing = true
        let problem =
            error as? HTTPParserError == .headerOverflow
            ? Problem(
                431, "headers_too_large", "The header fields are too large", "a request's header is limited in size")
            : Problem.badRequest("this is not HTTP/1.1")
        let body = (try? problem.json(requestID: "none").canonical()).map { Array($0) } ?? []
        var head = HTTPResponse(status: .init(code: problem.status))
        head.headerFields[.contentType] = "application/problem+json"
        head.headerFields[.contentLength] = "\(body.count)"
        head.headerFields[.connection] = "close"
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        linger(context)
    }

    /// More waits to be sent than the socket takes: the client does not read.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unreadTimer?.cancel()
        unreadTimer = nil
        if !context.channel.isWritable {
            let channel = context.channel
            unreadTimer = context.eventLoop.scheduleTask(in: unread) { channel.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }
}
