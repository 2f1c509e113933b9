/// What is done to a stream of sound besides encoding it.
struct SoundTreatment {
    /// Decibels.
    var gain: Double
    /// What keeps the peaks down; `nil` for nothing.
    var limiter: PeakLimiter?
    /// Samples that come out.
    var length: Int64?
    /// Who looks at what goes to the encoder.
    var processors: [any FrameProcessor] = []

    func apply(to plan: inout SoundPlan) {
        plan.gain = gain
        plan.limiter = limiter
        plan.length = length
    }
}
