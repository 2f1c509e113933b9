import ByteIO

/// Makes a job's outputs visible: all of them or none.
enum Publication {
    /// What may fail is done for all sinks first. If one cannot be made visible all the same, those that were are
    /// taken back, as far as their sinks find that they still may be. A file that was replaced by one of them is gone then.
    ///
    /// - Throws: ``MediaError`` that names the output.
    static func publish(_ sinks: [any ByteSink]) throws {
        for sink in sinks { try naming(sink) { try sink.prepare() } }
        for (index, sink) in sinks.enumerated() {
            do {
                try naming(sink) { try sink.finish() }
            } catch {
                for published in sinks[..<index] { published.retract() }
                throw error
            }
        }
    }

    private static func naming(_ sink: any ByteSink, _ body: () throws -> Void) throws {
        do { try body() } catch { throw MediaError.wrapping(error, input: sink.name) }
    }
}
