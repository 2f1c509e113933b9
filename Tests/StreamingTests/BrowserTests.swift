import Foundation
import MediaKit
import TestSupport
import Testing
import Transfer
import TransferTestSupport

extension Streaming {
    @Suite(.timeLimit(.minutes(3))) struct BrowserTests {
        /// What the page found.
        struct Report: Decodable {
            struct Seek: Decodable {
                var time: Double
                /// What the picture says that it is.
                var number: Int
            }
            var error: String?
            var duration: Double?
            var width: Int?
            var height: Int?
            /// Seconds that were shown when it was stopped.
            var played: Double?
            /// Seconds that were loaded by then.
            var loaded: Double?
            var seeks: [Seek]?
        }

        @Test(.enabled(if: Browser.program != nil, Comment(rawValue: Browser.absence)))
        func `A browser plays a result while it loads, and seeks in it by ranges`() async throws {
            let film = RawMovie(width: 320, height: 180, frames: 750, grain: 90)
            let bench = try StreamingBench()
            bench.server["film.mkv"] = S3Object(.made(size: film.size) { film.bytes($0) })
            let video = VideoSettings(codec: .h264, crf: 10, preset: "ultrafast")
            let made = try await bench.engine.run(
                Transcode(input: bench.location("film.mkv"), output: bench.location("out.mp4"), video: video))
            #expect(made.warnings.isEmpty)
            // Slow enough that it cannot have all of it before it is asked to seek.
            var settings = S3Server.Settings()
            settings.bytesPerSecond = 2 << 20
            let slow = try StreamingBench(settings)
            slow.server["out.mp4"] = bench.server["out.mp4"]
            #expect((slow.server["out.mp4"]?.size ?? 0) > 8 << 20)

            // The page comes from the store and writes what it found into it, all by presigned URLs.
            let store = try #require(try slow.stores.store(for: .bucket("media", key: "a"))?.store)
            let movieURL = try await store.presign(.get(), "out.mp4", expiresIn: .seconds(600)).url
            let reportURL = try await store.presign(.put(), "report.json", expiresIn: .seconds(600)).url
            let page = Self.page(movie: movieURL, report: reportURL, seeks: [650, 40])
            _ = try await store.put("page.html", Array(page.utf8), options: ObjectOptions(contentType: "text/html"))
            let pageURL = try await store.presign(.get(), "page.html", expiresIn: .seconds(600)).url
            let bytes = try await Browser.show(pageURL) { () async throws -> [UInt8]? in
                let deadline = ContinuousClock.now + .seconds(90)
                while slow.server["report.json"] == nil, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(20))
                }
                return slow.server.bytes("report.json")
            }
            let report = try JSONDecoder().decode(Report.self, from: Data(try #require(bytes, "no report")))
            #expect(report.error == nil)
            #expect(abs((report.duration ?? 0) - 30) < 0.1)
            #expect(report.width == 320 && report.height == 180)
            #expect(report.seeks?.map(\.number) == [650, 40])
            // It was playing before it had all, for which the index must stand in front …
            #expect((report.played ?? 0) > 0.3 && (report.loaded ?? 30) < 29, "\(report)")
            // … and what it jumped over was not loaded.
            let starts = slow.server.requests(.get).filter { $0.key == "out.mp4" }.compactMap { request -> Int64? in
                if case .part(let range) = request.range(of: .max) { range.lowerBound } else { nil }
            }
            #expect(starts.first == 0 && starts.contains { $0 > 1 << 20 }, "\(starts)")
            print("a browser asked for bytes from \(starts) on; \(report)")
        }

        private static func page(movie: String, report: String, seeks: [Int]) -> String {
            """
            <!doctype html>
            <video id="video" muted></video>
            <script>
            const video = document.getElementById('video'), report = {seeks: []}
            const until = (name) => new Promise((resolve, reject) => {
                video.addEventListener(name, resolve, {once: true})
                video.addEventListener('error', () => reject(video.error.message), {once: true})
            })
            const shown = (seconds) => new Promise((resolve) => {
                const look = () => video.currentTime > seconds ? resolve() : setTimeout(look, 20)
                look()
            })
            // As the picture was drawn: twelve bits across its upper half.
            const number = () => {
                const canvas = document.createElement('canvas')
                canvas.width = video.videoWidth
                canvas.height = video.videoHeight
                const context = canvas.getContext('2d')
                context.drawImage(video, 0, 0)
                let number = 0
                for (let bit = 0; bit < 12; bit++) {
                    const x = Math.floor((2 * bit + 1) * canvas.width / 24), y = Math.floor(canvas.height / 4)
                    if (context.getImageData(x, y, 1, 1).data[1] > 125) number |= 1 << bit
                }
                return number
            }
            const look = async () => {
                const known = until('loadedmetadata')
                video.src = '\(movie)'
                await known
                Object.assign(report, {duration: video.duration, width: video.videoWidth, height: video.videoHeight})
                await video.play()
                await shown(0.3)
                video.pause()
                report.played = video.currentTime
                report.loaded = video.buffered.end(video.buffered.length - 1)
                for (const picture of \(seeks)) {
                    const there = until('seeked')
                    video.currentTime = (picture + 0.5) / \(RawMovie.rate)
                    await there
                    report.seeks.push({time: video.currentTime, number: number()})
                }
            }
            look().catch((error) => { report.error = String(error) })
                .finally(() => fetch('\(report)', {method: 'PUT', body: JSON.stringify(report)}))
            </script>
            """
        }
    }
}
