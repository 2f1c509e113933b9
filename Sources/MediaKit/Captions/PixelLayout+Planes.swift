/// Where the planes of a picture lie in memory, for the length of one call.
public struct PixelPlanes {
    public struct Plane {
        /// The first sample of the top row.
        public var base: UnsafeMutableRawPointer
        /// Bytes from one row to the next; negative where the picture is stored bottom up.
        public var stride: Int

        public init(base: UnsafeMutableRawPointer, stride: Int) {
            self.base = base
            self.stride = stride
        }
    }

    /// Luma, then chroma as the layout says.
    public var planes: [Plane]

    public init(_ planes: [Plane]) { self.planes = planes }
}
