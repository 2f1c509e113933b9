import ByteIO
import Locking
import MediaKit

/// What a file in memory holds, at 16 kHz and mixed to one channel.
func decoded(_ bytes: [UInt8]) async throws -> [Int16] {
    try await sound("upload", MediaEngine(resolver: BoundResolver(sources: ["upload": MemorySource(bytes)])))
}

/// What a file holds, at 16 kHz and mixed to one channel.
func sound(_ input: String, _ engine: MediaEngine = MediaEngine()) async throws -> [Int16] {
    let samples = Locked<[Int16]>([])
    try await engine.readSound(SoundRequest(input: input)) { block in samples.withLock { $0 += block.samples[0] } }
    return samples.withLock { $0 }
}
