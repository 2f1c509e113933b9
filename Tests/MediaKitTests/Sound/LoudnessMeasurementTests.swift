import MediaKit
import TestSupport
import Testing

/// What is measured, against what the standards say of known sounds.
@Suite struct LoudnessMeasurementTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private func loudness(_ clip: TestClip) async throws -> LoudnessMeasurement {
        try await bench.loudness(try bench.put(clip))
    }

    @Test(arguments: [8000, 22_050, 44_100, 48_000, 96_000])
    func `A tone of 997 Hz at a tenth of full scale has the loudness that BS.1770 says`(_ rate: Int) async throws {
        // A full-scale sine of 997 Hz in one channel reads -3.01 LKFS.
        let mono = try await loudness(tone(997, [0.1], seconds: 4, sampleRate: rate, fade: 0.05))
        #expect(abs(try #require(mono.integrated) - -23.01) < 0.1)
        #expect(abs(try #require(mono.truePeak) - -20) < 0.05)
        #expect(mono.range < 0.1)
    }

    @Test func `Both channels of stereo add up`() async throws {
        let stereo = try await loudness(tone(997, [0.1], seconds: 4, channels: 2))
        #expect(abs(try #require(stereo.integrated) - -20) < 0.1)
    }

    @Test func `Peaks between the samples are seen`() async throws {
        // Every sample lies 3 dB below the peak.
        let clip = tone(12_000, [0.5], seconds: 2, phase: .pi / 4, fade: 0.05)
        let measured = try #require(try await loudness(clip).truePeak)
        #expect(abs(measured - -6.02) < 0.1)
    }

    @Test func `What begins and ends at once is heard as out of silence`() async throws {
        // Interpolated by sin(x)/x with zeros around it, it rings to -5.93 dB.
        let clip = tone(12_000, [0.5], seconds: 2, phase: .pi / 4)
        let measured = try #require(try await loudness(clip).truePeak)
        #expect(abs(measured - -5.93) < 0.15)
    }

    @Test func `A quiet sound's peak is as exact as a loud one's`() async throws {
        let measured = try await loudness(tone(997, [0.003], seconds: 3))
        #expect(abs(try #require(measured.truePeak) - -50.46) < 0.1)
    }

    @Test func `A peak in the last moment counts`() async throws {
        let clip = TestClip(audio: [
            .init(seconds: 2.05) { time, _ in time > 2.04 ? 0.5 : 0.01 * TestClip.tones(time, 0) }
        ])
        #expect(try #require(try await loudness(clip).truePeak) > -7)
    }

    @Test func `Pauses do not make speech quieter`() async throws {
        let steady = try await loudness(tone(997, [0.1], seconds: 4))
        let paused = try await loudness(tone(997, [0.1, 0, 0.1, 0.1, 0.1, 0], seconds: 8))
        #expect(abs(try #require(steady.integrated) - (try #require(paused.integrated))) < 0.7)
    }

    @Test func `The range tells loud from quiet parts`() async throws {
        let clip = TestClip(audio: [
            .init(seconds: 20) { time, _ in
                (time < 10 ? 1 : 0.2) * TestClip.tones(time.truncatingRemainder(dividingBy: 1), 0)
            }
        ])
        #expect(abs(try await loudness(clip).range - 14) < 1)
    }

    @Test func `Silence, and what is too short, has no loudness`() async throws {
        let silent = try await loudness(tone(997, [0], seconds: 2))
        #expect(silent.integrated == nil && silent.truePeak == nil)
        let short = try await loudness(tone(997, [0.1], seconds: 0.3))
        #expect(short.integrated == nil)
        #expect(abs(try #require(short.truePeak) - -20) < 0.1)
    }

    @Test func `Every sound stream is measured, or the one that is named`() async throws {
        let clip = TestClip(audio: [
            .init(seconds: 3) { time, _ in TestClip.tones(time, 0) },
            .init(seconds: 3) { time, _ in TestClip.tones(time, 0) / 10 },
        ])
        let input = try bench.put(clip)
        let all = try await bench.engine.run(MeasureLoudness(input: input)).tracks
        #expect(all.map(\.sourceIndex) == [0, 1])
        let (loud, quiet) = (try #require(all[0].loudness.integrated), try #require(all[1].loudness.integrated))
        #expect(abs(loud - quiet - 20) < 0.2)
        let one = try await bench.engine.run(MeasureLoudness(input: input, track: 1)).tracks
        #expect(one.map(\.loudness) == [all[1].loudness])
    }
}
