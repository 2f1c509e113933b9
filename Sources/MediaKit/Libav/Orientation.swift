import CAVShim

/// How stored rows and columns are to be shown: by the display matrix of ISO/IEC 14496-12, §6.2.2.
struct Orientation: Equatable, Sendable {
    /// Clockwise turn that stands the picture upright: 0, 90, 180 or 270 degrees, or another for odd matrices.
    var clockwise: Double
    /// Whether it is mirrored left to right before that turn.
    var isMirrored: Bool

    static let upright = Orientation(clockwise: 0, isMirrored: false)

    init(clockwise: Double, isMirrored: Bool) {
        self.clockwise = clockwise
        self.isMirrored = isMirrored
    }

    /// - Parameter matrix: nine 32-bit integers in libav's order.
    init(matrix data: UnsafeRawBufferPointer) {
        var matrix = (0..<9).map { data.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self) }
        // A negative determinant is a reflection; without it the rest is a turn.
        let determinant = Int64(matrix[0]) * Int64(matrix[4]) - Int64(matrix[1]) * Int64(matrix[3])
        isMirrored = determinant < 0
        if isMirrored { av_display_matrix_flip(&matrix, 1, 0) }
        let counterclockwise = av_display_rotation_get(matrix)
        let turn = counterclockwise.isNaN ? 0 : -counterclockwise
        clockwise = (turn - 360 * (turn / 360).rounded(.down)).rounded()
        if clockwise >= 360 { clockwise = 0 }
    }

    var swapsAxes: Bool { clockwise == 90 || clockwise == 270 }
    var isUpright: Bool { clockwise == 0 && !isMirrored }
}
