public import ArgumentParser
public import MediaKit

extension VideoCodec: ExpressibleByArgument {}
extension AudioCodec: ExpressibleByArgument {}
extension Container: ExpressibleByArgument {}
extension PictureSize.Fit: ExpressibleByArgument {}
extension CrossFade.Transition: ExpressibleByArgument {}
extension LoopTo.Sound: ExpressibleByArgument {}

extension FrameRate: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension CaptionColor: ExpressibleByArgument {
    /// "#RRGGBB" or "#RRGGBBAA".
    public init?(argument: String) { self.init(argument) }
}

extension StreamSelection.Choice: ExpressibleByArgument {
    /// "best", "all", "none", or numbers: "0,2".
    public init?(argument: String) {
        switch argument {
        case "best": self = .best
        case "all": self = .all
        case "none": self = .indices([])
        default:
            let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            let known = numbers.compactMap { $0 }
            guard known.count == numbers.count, known.allSatisfy({ $0 >= 0 }) else { return nil }
            self = .indices(known)
        }
    }
}

/// A number of bits or bytes: "128k", "2.5M", "800000".
struct Quantity: ExpressibleByArgument, Equatable {
    var value: Int64

    init?(argument: String) {
        let factors: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9]
        let factor = argument.last.flatMap { factors[$0] }
        let digits = factor == nil ? argument[...] : argument.dropLast()
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
            let number = Double(digits)
        else { return nil }
        let value = number * (factor ?? 1)
        guard value >= 0, value <= 1e15 else { return nil }
        self.value = Int64(value.rounded())
    }
}

/// Seconds: "90.5", "1:30.5" or "00:01:30.500".
struct Seconds: ExpressibleByArgument, Equatable {
    var value: Double

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count) else { return nil }
        var seconds = 0.0
        for (index, part) in parts.enumerated() {
            // Only the last part may have a fraction, and only the first may go beyond 59.
            let allowed = part.allSatisfy { $0.isASCII && ($0.isNumber || $0 == "." && index == parts.count - 1) }
            guard !part.isEmpty, allowed, let number = Double(part), index == 0 || number < 60 else { return nil }
            seconds = seconds * 60 + number
        }
        guard seconds.isFinite else { return nil }
        value = seconds
    }
}
