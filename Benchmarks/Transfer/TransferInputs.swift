import FoundationEssentials
import Glibc
import MediaKit

/// What the transfer cases read: clips made by the `ffmpeg` command, once, and captions for them.
struct TransferInputs {
    struct Clip {
        var key: String
        var path: String
        var bytes: Int64
    }

    let seconds: Int
    /// 50 Mbit/s.
    let clip: Clip
    /// 500 MB for a minute.
    let large: Clip
    /// Bytes of the large one's sound, as it is encoded.
    let soundBytes: Int64
    /// Files by the keys that the server shall have them under.
    let objects: [String: String]

    static let captions = "in/captions.srt"
    /// The same captions as ours are drawn from, for the commands.
    static let script = "in/captions.ass"
    /// Of burnt-in captions, in pixels.
    static let outputSize = (width: 1280, height: 720)

    /// - Parameters:
    ///   - folder: where clips are kept from one run to the next.
    ///   - maker: the ffmpeg that makes them.
    init(seconds: Int, folder: String, maker: Peer, scratch: ScratchFolder) throws {
        self.seconds = seconds
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        clip = try Self.make(megabits: 50, seconds: seconds, folder: folder, maker: maker)
        large = try Self.make(megabits: 66.7, seconds: seconds, folder: folder, maker: maker)
        soundBytes = try Self.soundBytes(of: large, scratch: scratch)
        let captions = try scratch.write(MediaCase.captions(seconds: Double(seconds)), to: "captions.srt")
        let drawn = try ChildTask.script(
            subtitles: captions, width: Self.outputSize.width, height: Self.outputSize.height
        ).perform(as: String.self).answer
        objects = [
            clip.key: clip.path, large.key: large.path, Self.captions: captions,
            Self.script: try scratch.write(drawn, to: "captions.ass"),
        ]
    }

    /// A 1080p clip with the index at its end, as cameras write it, of a picture that takes all of its bit rate. Coded
    /// with CAVLC, as fast encoders do: with CABAC, decoding that many bits would outweigh all else.
    private static func make(megabits: Double, seconds: Int, folder: String, maker: Peer) throws -> Clip {
        let name = "1080p-cavlc-\(seconds)s-\(megabits.fixed(1))M.mp4"
        let path = "\(folder)/\(name)", unfinished = "\(folder)/unfinished-\(name)"
        if !FileManager.default.fileExists(atPath: path) {
            let soundBits = 192_000
            let bits = "\(Int(megabits * 1e6) - soundBits)"
            let picture = "testsrc2=size=1920x1080:rate=30,noise=alls=24:allf=t,format=yuv420p"
            let sound = "anoisesrc=color=pink:sample_rate=48000:amplitude=0.3:seed=7,aformat=channel_layouts=stereo"
            let inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-t", "\(seconds)"]
            let video = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-x264-params", "nal-hrd=cbr"]
            let rate = ["-b:v", bits, "-minrate", bits, "-maxrate", bits, "-bufsize", bits]
            let audio = ["-c:a", "aac", "-b:a", "\(soundBits)"]
            _ = try ChildProcess(
                program: maker.path,
                arguments: ["-nostdin", "-v", "error", "-y"] + inputs + video + rate + audio + [unfinished]
            ).run()
            try FileManager.default.moveItem(atPath: unfinished, toPath: path)
        }
        var information = stat()
        guard stat(path, &information) == 0 else {
            throw ChildProcess.Failure(description: "\(path) was not made")
        }
        return Clip(key: "in/\(name)", path: path, bytes: Int64(information.st_size))
    }

    /// Copies the sound into a file of its own, and looks how much of that is sound.
    private static func soundBytes(of clip: Clip, scratch: ScratchFolder) throws -> Int64 {
        let path = scratch.path("sound.m4a")
        _ = try ChildTask.run([
            .extractAudio(
                ExtractAudio(input: clip.path, output: path, audio: AudioSettings(codec: .copy), overwrite: true))
        ])
        let file = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        // ISO/IEC 14496-12, §4.2: a size of 32 bits, a type, and the content.
        var position = 0
        while position + 8 <= file.count {
            let size = file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            if file[position + 4..<position + 8].elementsEqual("mdat".utf8) { return Int64(size - 8) }
            guard size >= 8 else { break }
            position += size
        }
        throw ChildProcess.Failure(description: "\(path) has no mdat")
    }
}
