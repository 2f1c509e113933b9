import CAVShim
import Testing

@testable import MediaKit

/// What a decoder delivers is put on the result's clock.
@Suite("The result's clock")
struct TimelineTests {
    private static let rate = 1000

    /// Mono sound whose samples are all 1, so that silence shows.
    private func sound(at time: Int64?, count: Int) throws -> Frame {
        let frame = try Frame()
        frame.raw.pointee.format = AV_SAMPLE_FMT_S16.rawValue
        frame.raw.pointee.nb_samples = Int32(count)
        frame.raw.pointee.sample_rate = Int32(Self.rate)
        av_channel_layout_default(&frame.raw.pointee.ch_layout, 1)
        try check(av_frame_get_buffer(frame.raw, 0), "no memory")
        let plane = try #require(frame.plane(0))
        plane.base.withMemoryRebound(to: Int16.self, capacity: count) { $0.update(repeating: 1, count: count) }
        frame.pts = time
        frame.raw.pointee.best_effort_timestamp = time ?? CAV_NOPTS
        return frame
    }

    /// Runs of (start, count, is it sound).
    private func runs(_ frames: [TimedFrame]) throws -> [[Int64]] {
        try frames.map { timed in
            let plane = try #require(timed.frame.plane(0))
            let first = plane.base.withMemoryRebound(to: Int16.self, capacity: 1) { $0.pointee }
            return [timed.frame.pts ?? -1, Int64(timed.frame.sampleCount), Int64(first)]
        }
    }

    private func place(_ sounds: [(Int64?, Int)], window: MediaGraph.Window = .init()) throws -> [[Int64]] {
        var timeline = SoundTimeline(window: window, streamTimeBase: Rational(1, 1000))
        var placed: [TimedFrame] = []
        for (time, count) in sounds { placed += try timeline.place(try sound(at: time, count: count)) }
        return try runs(placed)
    }

    @Test("sound that follows on is passed as it is")
    func continuous() throws {
        #expect(try place([(0, 100), (100, 100)]) == [[0, 100, 1], [100, 100, 1]])
    }

    @Test("jitter of less than 30 ms is ignored")
    func jitter() throws {
        #expect(try place([(0, 100), (112, 100), (195, 100)]) == [[0, 100, 1], [100, 100, 1], [200, 100, 1]])
    }

    @Test("a gap becomes silence, in pieces of a second")
    func gap() throws {
        #expect(
            try place([(0, 100), (1600, 100)])
                == [[0, 100, 1], [100, 1000, 0], [1100, 500, 0], [1600, 100, 1]])
    }

    @Test("what overlaps is cut")
    func overlap() throws {
        #expect(try place([(0, 100), (50, 100), (150, 100)]) == [[0, 100, 1], [100, 50, 1], [150, 100, 1]])
    }

    @Test("a frame without a time follows the last")
    func missingTime() throws {
        #expect(try place([(0, 100), (nil, 100)]) == [[0, 100, 1], [100, 100, 1]])
    }

    @Test("an absurd time does not make an hour of silence")
    func absurd() throws {
        #expect(try place([(0, 100), (4_000_000, 100)]) == [[0, 100, 1], [100, 100, 1]])
    }

    @Test("a window cuts to the sample at both ends")
    func window() throws {
        let window = MediaGraph.Window(origin: 30_000, isTrimmed: true, end: 140_000)
        #expect(try place([(0, 100), (100, 100), (200, 100)], window: window) == [[0, 70, 1], [70, 70, 1]])
    }

    @Test("sound that begins later is padded where the container cannot say so")
    func padding() throws {
        let window = MediaGraph.Window(padsStart: true)
        #expect(try place([(40, 100)], window: window) == [[0, 40, 0], [40, 100, 1]])
    }

    // MARK: Jumps

    private func packet(_ time: Int64, stream: Int = 0) throws -> Packet {
        let packet = try Packet()
        packet.pts = time
        packet.dts = time
        packet.duration = 40
        packet.stream = stream
        return packet
    }

    private func mended(_ times: [Int64], isDiscontinuous: Bool) throws -> ([Int64], warnings: Int) {
        let control = JobControl(budget: CoreBudget(cores: 1), limits: Limits())
        var mender = TimestampMender(isDiscontinuous: isDiscontinuous)
        let result = try times.map { time in
            let packet = try packet(time)
            mender.mend(packet, timeBase: Rational(1, 1000), control: control)
            return packet.pts ?? -1
        }
        return (result, control.warnings.all.count)
    }

    @Test("a transport stream's clock that is reset goes on evenly, with a warning")
    func reset() throws {
        let (times, warnings) = try mended([90_000, 90_040, 0, 40, 80], isDiscontinuous: true)
        #expect(times == [90_000, 90_040, 90_080, 90_120, 90_160])
        #expect(warnings == 1)
    }

    @Test("a transport stream's clock that jumps ahead and back goes on evenly")
    func jumps() throws {
        let (times, _) = try mended([0, 40, 50_000, 50_040, 160, 200], isDiscontinuous: true)
        #expect(times == [0, 40, 80, 120, 160, 200])
    }

    @Test("a gap of some seconds is kept, and other containers' jumps too")
    func kept() throws {
        #expect(try mended([0, 40, 5000], isDiscontinuous: true).0 == [0, 40, 5000])
        #expect(try mended([0, 40, 50_000], isDiscontinuous: false).0 == [0, 40, 50_000])
    }
}
