import Crypto
import FoundationEssentials
import MediaKit
import Transfer

/// The store of `kiln dev`: a folder, for whose URLs the API answers.
struct DevStore: Sendable {
    /// Absolute.
    let root: String

    /// What `storage` is for a service that uses it. `s3://` leads where the environment says, if it does.
    ///
    /// - Parameter port: the API's.
    func settings(port: Int) throws(TransferError) -> StorageSettings {
        var settings = StorageSettings.read(nil).settings
        settings.defaultStore = .folder(root)
        let secret = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        settings.folderSigner = try LocalSigner(
            secret: secret, base: HTTPURL("http://127.0.0.1:\(port)/v1/store"))
        return settings
    }

    func path(_ key: String) -> String { root + "/" + key }
    func location(_ key: String) -> String { ObjectLocation.store(key: key).description }

    /// What a job is to work on.
    struct Work: Sendable {
        /// A location.
        var input: String
        /// `nil` has them recognised.
        var subtitles: SubtitleInput?
    }

    /// Puts a video and its captions into it.
    func put(_ video: String, _ captions: DevCaptions) async throws -> Work {
        let name = video.split(separator: "/").last.map(String.init) ?? video
        let key = "inputs/" + DevFiles.plainName(name)
        return try await Bounded.blocking {
            try DevFiles.bring(video, to: path(key))
            switch captions {
            case .speech: return Work(input: location(key), subtitles: nil)
            case .embedded: return Work(input: location(key), subtitles: .embedded(nil))
            case .file(let file):
                let name = file.split(separator: "/").last.map(String.init) ?? file
                let captionKey = "inputs/" + DevFiles.plainName(name)
                try DevFiles.bring(file, to: path(captionKey))
                return Work(input: location(key), subtitles: .file(location(captionKey)))
            case .timeCode(let seconds):
                let captionKey = key + ".timecode.srt"
                let text = DevCaptions.timeCode(name, seconds: seconds)
                do {
                    try text.write(toFile: path(captionKey), atomically: true, encoding: .utf8)
                } catch {
                    throw MediaError(.cannotCreate, "cannot write \(path(captionKey))", cause: error)
                }
                return Work(input: location(key), subtitles: .file(location(captionKey)))
            }
        }
    }

    /// Puts a short clip with spoken words into it, to try things on. One that is there stays.
    func putSample() async throws -> Work {
        let (clip, words) = ("sample.mp4", "sample.srt")
        if !FileManager.default.fileExists(atPath: path(clip)) || !FileManager.default.fileExists(atPath: path(words)) {
            _ = try await MediaEngine().run(
                SampleClip(
                    output: path(clip), subtitles: path(words), seconds: 6, width: 640, height: 360, overwrite: true))
        }
        return Work(input: location(clip), subtitles: .file(location(words)))
    }
}
