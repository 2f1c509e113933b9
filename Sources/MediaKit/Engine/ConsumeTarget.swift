/// Gives a branch's frames to a consumer, on the branch's own thread.
///
// Safe to send: called by the branch's thread alone.
final class ConsumeTarget: BranchTarget, @unchecked Sendable {
    let frameSize: Int? = nil
    private let consumer: any FrameConsumer
    private let control: JobControl
    private var format: FrameFormat?

    init(consumer: any FrameConsumer, control: JobControl) {
        self.consumer = consumer
        self.control = control
    }

    func open(format: FrameFormat, first: Frame) throws -> Int? {
        self.format = format
        return nil
    }

    func send(_ frame: Frame) -> Bool {
        guard let format else { return false }
        do {
            try consumer.consume(frame, format: format)
            control.progress.advance(frame: frame, timeBase: format.timeBase)
            return true
        } catch {
            control.fail(error)
            return false
        }
    }

    func finish() {}
}
