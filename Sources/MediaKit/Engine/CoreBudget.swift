import CAVShim
import Glibc

/// How many cores a job may use. Every thread count in the engine follows from it.
public struct CoreBudget: Sendable, Equatable {
    /// Cores, at least 1.
    public var cores: Int

    /// Takes 1 for less than 1 core, and 256 for more than 256.
    public init(cores: Int) { self.cores = max(1, min(cores, 256)) }

    /// What this process may use: its CPU affinity, capped by the cgroup's quota, which libav does not know of.
    public static let process = CoreBudget(cores: min(Int(av_cpu_count()), cgroupQuota() ?? .max))

    /// Threads for a software decoder: each frame thread holds a frame and adds one of delay, and beyond a few
    /// they wait for the encoder anyway.
    var decoderThreads: Int { min(cores, 6) }

    /// Threads for a decoder that an encoder of the same pictures waits behind: more would only hold more frames.
    var followingDecoderThreads: Int { max(1, decoderThreads / 2) }

    /// Threads for a video encoder: one and a half per core, as x264 chooses for itself. They wait for each other, and
    /// with one per core the decoder and the filters in front leave some of that time unused: 4 to 5 % at 720p on two
    /// cores. Each holds a picture and its reference data, so there is an end to it.
    var encoderThreads: Int { min(cores + cores / 2, 24) }

    /// Slice threads within one filter graph.
    var filterThreads: Int { min(cores, 4) }

    /// The tightest `cpu.max` from this process's cgroup (version 2) up to the root, rounded up to whole cores.
    /// See "Control Group v2", CPU interface files, in the kernel's documentation.
    private static func cgroupQuota() -> Int? {
        guard let own = readFile("/proc/self/cgroup"),
            let line = own.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return nil }
        var path = String(line.dropFirst(3))
        var quota: Int?
        while true {
            let folder = "/sys/fs/cgroup" + (path == "/" ? "" : path)
            if let text = readFile(folder + "/cpu.max"), let cores = cores(inCPUMax: text) {
                quota = min(quota ?? .max, cores)
            }
            guard path.count > 1, let slash = path.lastIndex(of: "/") else { return quota }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }

    /// Reads the text of a `cpu.max` file: "max 100000" or "<quota> <period>", in microseconds.
    static func cores(inCPUMax text: String) -> Int? {
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count == 2, let quota = Double(fields[0]), let period = Double(fields[1]), period > 0,
            quota > 0
        else { return nil }
        return max(1, Int((quota / period).rounded(.up)))
    }

    private static func readFile(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
