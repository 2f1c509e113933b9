/// Samples that wait for their pictures.
struct SoundQueue {
    private var channels: [[Float]]
    private var head = 0

    init(channels count: Int) { channels = Array(repeating: [], count: count) }

    var count: Int { (channels.first?.count ?? 0) - head }

    mutating func append(_ samples: [[Float]]) {
        guard samples.count == channels.count else { return }
        for index in channels.indices { channels[index] += samples[index] }
    }

    mutating func appendSilence(_ count: Int) {
        for index in channels.indices { channels[index] += repeatElement(0, count: count) }
    }

    mutating func drop(_ count: Int) { _ = take(count) }

    /// The next `count` samples of each channel, or as many as there are.
    mutating func take(_ count: Int) -> [[Float]] {
        let end = head + min(count, self.count)
        let taken = channels.map { Array($0[head..<end]) }
        head = end
        // Amortised: what was taken is dropped once it is half of the array.
        if head * 2 >= (channels.first?.count ?? 0) {
            for index in channels.indices { channels[index].removeFirst(head) }
            head = 0
        }
        return taken
    }
}
