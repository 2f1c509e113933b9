/// Where the planes of a picture lie in memory, for the length of one call.
public struct PixelPlanes {
    /// One plane of samples, which must stay valid and writable as long as it is used.
    public struct Plane {
        /// The first sample of the top row.
        public var base: UnsafeMutableRawPointer
        /// Bytes from one row to the next; negative where the picture is stored bottom up.
        public var stride: Int

        /// `stride` is in bytes, and negative where the picture is stored bottom up.
        public init(base: UnsafeMutableRawPointer, stride: Int) {
            self.base = base
            self.stride = stride
        }
    }

    /// Luma, then chroma as the layout says.
    public var planes: [Plane]

    /// Takes as many planes as the layout has, luma first; more are not looked at.
    public init(_ planes: [Plane]) { self.planes = planes }
}
