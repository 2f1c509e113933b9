import Glibc

/// Whether the few things that go to a disk find room there. Media does not: it streams.
struct DiskCheck: DoctorCheck {
    let name = "disk"

    /// A place that things are written to.
    struct Place: Sendable {
        var path: String
        var use: String
        /// Bytes below which jobs fail.
        var needed: Int64
        /// Bytes below which somebody should know.
        var comfortable: Int64
    }

    /// What the kernel says of a place.
    struct Room: Sendable, Equatable {
        /// Bytes that this process may still write.
        var free: Int64
        var isWritable: Bool
    }

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        let places = Self.places(context.configuration)
        return try await Bounded.blocking { places.map { Self.finding($0, Self.room($0.path)) } }
    }

    private static func places(_ configuration: WorkerConfiguration) -> [Place] {
        let hasSharedMemory = access("/dev/shm", W_OK) == 0
        let temporary = hasSharedMemory ? "/dev/shm" : getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        // What an encoder's two passes and small fonts take.
        var places = [Place(path: temporary, use: "small files of jobs", needed: 1 << 20, comfortable: 32 << 20)]
        if case .folder(let path) = configuration.storage.defaultStore {
            places.append(Place(path: path, use: "the default store", needed: 100 << 20, comfortable: 5 << 30))
        }
        for path in configuration.outputs.fileRoots {
            places.append(Place(path: path, use: "file://", needed: 0, comfortable: 1 << 30))
        }
        return places
    }

    /// `nil` where there is no such place.
    static func room(_ path: String) -> Room? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let free = Int64(clamping: status.f_bavail).multipliedReportingOverflow(by: Int64(clamping: status.f_frsize))
        return Room(free: free.overflow ? .max : free.partialValue, isWritable: access(path, W_OK) == 0)
    }

    static func finding(_ place: Place, _ room: Room?) -> DoctorFinding {
        guard let room else {
            return .wrong("\(place.path) (\(place.use)) is not there", "make the folder, or mount it")
        }
        guard room.isWritable else {
            return place.needed == 0
                ? .note("\(place.path) (\(place.use)) can be read, and not written")
                : .wrong(
                    "\(place.path) (\(place.use)) cannot be written", "give this user the right, or name another folder"
                )
        }
        let text = "\(Figures.bytes(room.free)) free in \(place.path) (\(place.use))"
        if room.free < place.needed { return .wrong(text, "make room") }
        return room.free < place.comfortable ? .note(text, "make room soon") : .ok(text)
    }
}
