/// One of the sounds that are mixed.
public struct MixInput: Codable, Sendable, Equatable {
    /// A location that the engine's resolver knows: a path, or `-`.
    public var input: String
    /// The sound stream, counted from 0. Default: the one that a player would choose.
    public var track: Int?
    /// Decibels, -120 to 60. Default 0.
    public var gain: Double
    /// Seconds of the mix at which it begins, exact to the sample. Default 0.
    public var delay: Double
    /// Seconds of the input at which what is used of it begins; `nil` is its beginning.
    public var start: Double?
    /// Seconds of the input at which what is used of it ends, after `start`; `nil` is its end.
    public var end: Double?
    /// Seconds in which it comes up from silence. Default 0.
    public var fadeIn: Double
    /// Seconds in which it goes down to silence, up to where it ends or the mix does. Default 0.
    public var fadeOut: Double
    /// Whether it begins anew whenever it ends, for as long as the mix lasts. It is held in memory for that: 20 minutes of
    /// stereo at 48 kHz are the most, and less of more channels or a higher rate. Default false.
    public var loop: Bool
    /// Whether it is lowered while another input is heard. Default: it is not.
    public var duck: Ducking?

    /// Members that are not given take their defaults; values are checked when the request is.
    public init(
        input: String, track: Int? = nil, gain: Double = 0, delay: Double = 0, start: Double? = nil,
        end: Double? = nil, fadeIn: Double = 0, fadeOut: Double = 0, loop: Bool = false, duck: Ducking? = nil
    ) {
        self.input = input
        self.track = track
        self.gain = gain
        self.delay = delay
        self.start = start
        self.end = end
        self.fadeIn = fadeIn
        self.fadeOut = fadeOut
        self.loop = loop
        self.duck = duck
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case input, track, gain, delay, start, end, fadeIn, fadeOut, loop, duck
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        self.init(input: try values.decode(String.self, forKey: .input))
        track = try values.decodeIfPresent(Int.self, forKey: .track)
        gain = try values.decodeIfPresent(Double.self, forKey: .gain) ?? gain
        delay = try values.decodeIfPresent(Double.self, forKey: .delay) ?? delay
        start = try values.decodeIfPresent(Double.self, forKey: .start)
        end = try values.decodeIfPresent(Double.self, forKey: .end)
        fadeIn = try values.decodeIfPresent(Double.self, forKey: .fadeIn) ?? fadeIn
        fadeOut = try values.decodeIfPresent(Double.self, forKey: .fadeOut) ?? fadeOut
        loop = try values.decodeIfPresent(Bool.self, forKey: .loop) ?? loop
        duck = try values.decodeIfPresent(Ducking.self, forKey: .duck)
    }

    /// Bytes that a loop is held in memory with at most.
    private static let mostHeldBytes = 460.8e6
    /// Of a sample, as decoders give it.
    private static let sampleBytes = 4.0

    /// Seconds that a sound can be held in memory for.
    static func longestLoop(sampleRate: Int, channels: Int) -> Double {
        min(1200, mostHeldBytes / (sampleBytes * Double(max(1, sampleRate) * max(1, channels))))
    }

    /// Bytes that a sound is held in memory with, if it loops.
    package func heldBytes(seconds: Double?, sampleRate: Int, channels: Int) -> Int64 {
        guard loop else { return 0 }
        let most = Self.longestLoop(sampleRate: sampleRate, channels: channels)
        let used = (end ?? seconds).map { min($0, seconds ?? $0) - (start ?? 0) } ?? most
        return Int64(min(max(0, used), most) * Self.sampleBytes * Double(sampleRate * channels))
    }

    /// - Parameter name: what messages call it: "inputs[1]".
    func validate(_ name: String) throws {
        try validateWindow(start: start, end: end)
        guard (-120...60).contains(gain) else {
            throw MediaError(.badRequest, "\(name).gain must lie between -120 and 60 dB, not \(gain)")
        }
        for (member, value) in [("delay", delay), ("fadeIn", fadeIn), ("fadeOut", fadeOut)] {
            guard (0...86_400).contains(value) else {
                throw MediaError(
                    .badRequest, "\(name).\(member) must lie between 0 and 86,400 seconds, not \(value)")
            }
        }
        try duck?.validate("\(name).duck")
    }
}

/// How an input is lowered while another one is heard: music under speech.
public struct Ducking: Codable, Sendable, Equatable {
    /// The other input's number, counted from 0.
    public var key: Int
    /// Decibels by which it is lowered, 1 to 48. Default 12.
    public var amount: Double
    /// Decibels of full scale over which the other input is heard, -60 to 0, after its own gain. Default -40.
    public var threshold: Double
    /// Seconds that lowering takes, 0.001 to 2. Default 0.1.
    public var attack: Double
    /// Seconds that raising takes, once the other input is quiet, 0.01 to 5. Default 0.8.
    public var release: Double

    /// Members that are not given take their defaults; values are checked when the request is.
    public init(
        key: Int, amount: Double = 12, threshold: Double = -40, attack: Double = 0.1, release: Double = 0.8
    ) {
        self.key = key
        self.amount = amount
        self.threshold = threshold
        self.attack = attack
        self.release = release
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case key, amount, threshold, attack, release
    }

    public init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.strictContainer(CodingKeys.self)
        self.init(key: try values.decode(Int.self, forKey: .key))
        amount = try values.decodeIfPresent(Double.self, forKey: .amount) ?? amount
        threshold = try values.decodeIfPresent(Double.self, forKey: .threshold) ?? threshold
        attack = try values.decodeIfPresent(Double.self, forKey: .attack) ?? attack
        release = try values.decodeIfPresent(Double.self, forKey: .release) ?? release
    }

    func validate(_ name: String) throws {
        let ranges: [(member: String, value: Double, range: ClosedRange<Double>)] = [
            ("amount", amount, 1...48), ("threshold", threshold, -60...0), ("attack", attack, 0.001...2),
            ("release", release, 0.01...5),
        ]
        for (member, value, range) in ranges where !range.contains(value) {
            throw MediaError(
                .badRequest,
                "\(name).\(member) must lie between \(range.lowerBound) and \(range.upperBound), not \(value)")
        }
    }
}
