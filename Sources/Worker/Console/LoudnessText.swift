import MediaKit

/// Loudness in words for a person.
enum LoudnessText {
    static func lines(_ result: MeasureLoudnessResult) -> [String] {
        result.tracks.map { "stream \($0.sourceIndex): \(figures($0.loudness))" }
    }

    static func lines(_ result: NormalizeLoudnessResult) -> [String] {
        result.tracks.map { track in
            let gain = (track.gain < 0 ? "" : "+") + Figures.fixed(track.gain, 1)
            return "\(figures(track.before)) → \(figures(track.after)), gain \(gain) dB"
                + (track.isLimited ? ", peaks limited" : "")
        }
    }

    private static func figures(_ loudness: LoudnessMeasurement) -> String {
        let integrated = loudness.integrated.map { "\(Figures.fixed($0, 1)) LUFS" } ?? "no loudness"
        let peak = loudness.truePeak.map { "\(Figures.fixed($0, 1)) dBTP" } ?? "silent"
        return "\(integrated), range \(Figures.fixed(loudness.range, 1)) LU, \(peak)"
    }
}
