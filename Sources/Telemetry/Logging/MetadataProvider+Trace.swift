public import Logging
import Tracing

extension Logger.MetadataProvider {
    /// `trace_id` and `span_id` of the span that the current task works in; nothing outside of one.
    public static let traceContext = Logger.MetadataProvider {
        guard let context = ServiceContext.current?.spanContext else { return [:] }
        return ["trace_id": .string(context.traceID.description), "span_id": .string(context.spanID.description)]
    }
}
