import ByteIO
import Foundation
import MediaKit
import TestSupport

/// Small whole files to be damaged: of our own making, and of the media folder where it is.
struct FuzzCorpus: Sendable {
    var media: [(name: String, bytes: [UInt8])] = []
    var texts: [(name: String, bytes: [UInt8])] = []

    private static let real = [
        "video/av1_720p.mp4", "video/bframes_editlist_480p.mp4", "video/editlist_empty_edit_1s.mp4",
        "video/mkv_ass_subtitle.mkv", "video/mkv_pgs_subtitle.mkv", "video/phone_rot90_h264_2s.mov",
        "video/mpeg4_mp3.avi", "video/chapters.mp4", "video/hlg10_hevc_1080p.mp4", "video/concat_part1_480x272.mp4",
        "video/count_vfr_2audio_en_de_1sub.mp4", "audio/opus_6ch.ogg", "audio/jfk.mp3", "audio/count_en.m4a",
        "images/plot_800x800.png", "images/photo_odd_size_600x315.webp", "images/photo_exif_orientation6.jpg",
    ]

    /// The same each time, so that a seed's number stands for one input; with the media folder it is another set.
    static func load() async throws -> FuzzCorpus {
        let bench = try Workbench()
        var corpus = FuzzCorpus()
        var clip = TestClip.ordinary(seconds: 1.2)
        clip.texts = [.init([(start: 0, end: 900, text: "Hello <i>there</i>")])]
        clip.chapters = [(start: 0, end: 600, title: "One"), (start: 600, end: 1200, title: "Two")]
        let source = try bench.put(clip)
        corpus.media.append(("clip.mkv", clip.bytes))
        for name in ["a.mp4", "a.mov", "a.mkv", "a.ts", "a.webm", "a.mp3", "a.wav", "a.flac", "a.ogg", "a.m4a"] {
            do {
                try await bench.transcode(source, to: name) {
                    $0.video.preset = "ultrafast"
                    $0.bitexact = true
                    $0.threads = 1
                    if ["a.mp3", "a.wav", "a.flac", "a.ogg", "a.m4a"].contains(name) {
                        $0.video = VideoSettings(codec: .none)
                    }
                }
                corpus.media.append((name, bench.scratch.bytes(name)))
            } catch let error as MediaError where error.code == .unsupported {
                // An encoder that this libav lacks.
                continue
            }
        }
        let words = srt([(0, 500, "Hello <b>there</b> {\\an8}up"), (400, 900, "– Größe 日本 مرحبا")])
        corpus.texts = [
            ("a.srt", Array(words.utf8)),
            (
                "a.vtt",
                Array(
                    """
                    WEBVTT

                    STYLE
                    ::cue { color: red }

                    00:00.000 --> 00:00.700 line:10% position:20% align:left size:50%
                    <v Ann>Hello <c.yellow>there</c> &amp; <i>you</i>

                    00:00.700 --> 00:01.000
                    <ruby>a<rt>b</rt></ruby>

                    """.utf8)
            ),
            (
                "a.ass",
                Array(
                    assScript(
                        "Dialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,{\\pos(50,50)\\fad(100,100)}Hello",
                        "Dialogue: 1,0:00:00.20,0:00:01.00,Default,,0,0,0,,{\\k20}ka{\\kf30}ra{\\p1}m 0 0 l 9 9{\\p0}",
                        "Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,no"
                    ).utf8)
            ),
        ]
        for name in Self.real {
            if let data = FileManager.default.contents(atPath: Media.file(name)) {
                corpus.media.append((name, Array(data)))
            }
        }
        for name in Media.files(in: "subs") {
            if let data = FileManager.default.contents(atPath: Media.file(name)), !data.isEmpty {
                corpus.texts.append((name, Array(data)))
            }
        }
        return corpus
    }
}
