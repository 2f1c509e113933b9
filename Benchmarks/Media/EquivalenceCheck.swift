import FoundationEssentials
import Glibc
import MediaKit

/// Judges whether ours and a peer's outputs are the same work: a ratio of two different things says nothing.
enum EquivalenceCheck {
    /// Decibels that two encodes of the same pictures by the same settings have at least, whatever the encoders'
    /// versions: over all pictures, and in the worst.
    private static let psnr = 38.0
    private static let lowestPSNR = 30.0
    /// The root mean square of the difference, full scale being 1: -50 dB.
    private static let soundDifference = 0.003
    /// How far sizes of outputs may lie apart.
    private static let sizes = 0.9...1.1

    /// Compares two files by decoding them.
    static func ofFiles(_ ours: String, _ peer: String) throws -> CaseReport.Equivalence {
        let alike = try ChildTask.compare(ours, peer).perform(as: MediaComparison.self).answer
        var facts: [String] = [], faults: [String] = []
        if let pictures = alike.pictures { judge(pictures, &facts, &faults) }
        if let sound = alike.sound { judge(sound, &facts, &faults) }
        let ratio = size(ours) / max(1, size(peer))
        let text = "size \(ratio.fixed(3)) of the peer's"
        if sizes.contains(ratio) { facts.append(text) } else { faults.append(text) }
        return CaseReport.Equivalence(
            holds: faults.isEmpty, text: (faults.isEmpty ? facts : faults).joined(separator: ", "))
    }

    /// Bytes; 0 of a file that is not there.
    private static func size(_ path: String) -> Double {
        var information = stat()
        return stat(path, &information) == 0 ? Double(information.st_size) : 0
    }

    private static func judge(_ pictures: MediaComparison.Pictures, _ facts: inout [String], _ faults: inout [String]) {
        let frames = pictures.frames
        let counts = frames[0] == frames[1] ? "\(frames[0]) frames" : "\(frames[0]) and \(frames[1]) frames"
        if frames[0] == frames[1] { facts.append(counts) } else { faults.append(counts) }
        let durations = pictures.durations
        let times = "\(durations[0].fixed(3)) and \(durations[1].fixed(3)) s"
        if abs(durations[0] - durations[1]) <= pictures.frameSeconds {
            facts.append(times)
        } else {
            faults.append(times)
        }
        guard let psnr = pictures.psnr, let lowest = pictures.lowestPSNR else {
            faults.append("pictures of different size or format")
            return
        }
        let text = psnr >= 100 ? "identical pictures" : "PSNR \(psnr.fixed(1)) dB (lowest \(lowest.fixed(1)))"
        if psnr >= Self.psnr, lowest >= lowestPSNR { facts.append(text) } else { faults.append(text) }
    }

    private static func judge(_ sound: MediaComparison.Sound, _ facts: inout [String], _ faults: inout [String]) {
        guard let rate = sound.sampleRate, let difference = sound.difference else {
            faults.append("sound of different rate or channels")
            return
        }
        // A frame of AAC more or less at an end is a matter of taste.
        let isAlike = abs(sound.samples[0] - sound.samples[1]) <= max(1024, rate / 25)
        let counts =
            sound.samples[0] == sound.samples[1]
            ? "\(sound.samples[0]) samples" : "\(sound.samples[0]) and \(sound.samples[1]) samples"
        if isAlike { facts.append(counts) } else { faults.append(counts) }
        let text =
            difference == 0
            ? "identical sound" : "sound differs by \((20 * log10(difference)).fixed(0)) dB"
        if difference <= soundDifference { facts.append(text) } else { faults.append(text) }
    }

    // MARK: Probes

    private struct PeerProbe: Decodable {
        struct Stream: Decodable {
            var codecName: String?
            var width: Int?
            var height: Int?
            var sampleRate: String?
        }
        struct Format: Decodable {
            var duration: String?
        }
        var streams: [Stream]
        var format: Format
    }

    /// Compares what was found out about files.
    static func ofProbes(_ ours: [MediaResult], peer: [[UInt8]]) throws -> CaseReport.Equivalence {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        var faults: [String] = [], streams = 0
        for (result, output) in zip(ours, peer) {
            guard let info = Probe.output(of: result) else { continue }
            let other = try decoder.decode(PeerProbe.self, from: Data(output))
            if info.streams.count != other.streams.count {
                faults.append("\(info.streams.count) and \(other.streams.count) streams")
            }
            for (own, theirs) in zip(info.streams, other.streams) {
                streams += 1
                let isSameSize = own.video.map { $0.width == theirs.width && $0.height == theirs.height } ?? true
                let isSameRate = own.audio.map { "\($0.sampleRate)" == theirs.sampleRate } ?? true
                if own.codec != theirs.codecName || !isSameSize || !isSameRate {
                    faults.append("stream \(own.index) is told differently")
                }
            }
            let duration = other.format.duration.flatMap { Double($0) } ?? 0
            if abs((info.duration ?? 0) - duration) > 0.001 { faults.append("durations differ") }
        }
        let text = "\(ours.count) files, \(streams) streams: the same codecs, sizes, rates and durations"
        return CaseReport.Equivalence(
            holds: faults.isEmpty, text: faults.isEmpty ? text : faults.prefix(3).joined(separator: ", "))
    }
}
