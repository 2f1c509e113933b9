/// What is known of a movie before it is made, for an estimate of its index.
struct MovieOutline {
    var videoFrames: Int64 = 0
    /// Of one codec frame each, such as 1024 samples of AAC; of PCM, as many as packets are written.
    var audioFrames: Int64 = 0
    /// Of subtitle, chapter and data tracks together.
    var otherSamples: Int64 = 0
    var tracks = 1
    /// Bytes of media, or 0 if unknown.
    var mediaBytes: Int64 = 0
    /// Frames from one key frame to the next, on average.
    var framesPerKeyFrame = 12
    /// Whether frames are shown in another order than they are stored (B-frames).
    var isReordered = true
    /// Whether video frames last differently long.
    var hasVariableFrameRate = true
    /// Bytes of tags, cover pictures and codec headers beyond the usual few hundred.
    var extraBytes: Int64 = 0
}

extension ProgressiveMovieOutput {
    /// Bytes that the index of such a movie is likely to take at most, for `reservedIndexBytes`.
    ///
    /// Erring upwards costs a `free` box in the file, downwards a copy of the media or an index at the end. The
    /// sizes are those of the sample tables of ISO/IEC 14496-12, 8.6 and 8.7:
    ///
    /// | table | holds | bytes |
    /// |---|---|---|
    /// | stsz | every sample's size | 4 per sample |
    /// | stts | durations, one entry per run of equal ones | 8 per frame if the rate varies, else 8 |
    /// | ctts | shown minus stored time, per run | 8 per frame with B-frames, else none |
    /// | stss | key frames | 4 per key frame |
    /// | sdtp | dependencies, which libav writes with B-frames | 1 per frame |
    /// | stco, co64 | where each chunk begins | 4 per chunk, 8 beyond 4 GiB |
    /// | stsc | samples per chunk, one entry per run | at most 12 per chunk |
    ///
    /// A chunk is a run of samples of one track with none of another between, and at most 1 MiB long in libav's
    /// muxer: so a track has no more chunks than samples, nor than all other tracks have samples, give or take its
    /// long runs.
    static func estimateIndexBytes(_ movie: MovieOutline) -> Int {
        // Far beyond any movie, and far from where the sums below could overflow.
        func bounded(_ count: Int64) -> Int64 { min(max(0, count), 1 << 48) }
        let video = bounded(movie.videoFrames)
        let audio = bounded(movie.audioFrames)
        let other = bounded(movie.otherSamples)
        let mediaBytes = bounded(movie.mediaBytes)

        let perVideoFrame: Int64 = 4 + (movie.hasVariableFrameRate ? 8 : 0) + (movie.isReordered ? 8 + 1 : 0)
        var samples = video * perVideoFrame + 4 * (video / Int64(max(1, movie.framesPerKeyFrame)) + 1)
        samples += audio * 4
        // Subtitles: size and duration, with an empty sample for each pause.
        samples += other * 2 * (4 + 8)

        let longRuns = mediaBytes >> 20 + 1
        let total = video + audio + other
        let chunks = [video, audio, other].reduce(0) { $0 + min($1, total - $1 + longRuns) }
        let perChunk: Int64 = 12 + (mediaBytes < 4 << 30 ? 4 : 8)

        // mvhd, udta with a few tags; and per track tkhd, edts, mdhd, hdlr, dinf and stsd with its codec header.
        let fixed = 2048 + bounded(Int64(movie.tracks)) * 1024 + bounded(movie.extraBytes)
        return Int(min(samples + chunks * perChunk + fixed, Int64(largestIndexInFront)))
    }
}
