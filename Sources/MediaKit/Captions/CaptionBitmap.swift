import CLibass

/// One single-coloured bitmap of a rendered caption, as libass hands it out. Borrowed: valid until the next render.
struct CaptionBitmap {
    /// Position and size in the frame, in pixels.
    var x: Int
    var y: Int
    var width: Int
    var height: Int
    /// Coverage, one byte a pixel; rows are `stride` bytes apart. The last row may end after `width` bytes.
    var coverage: UnsafePointer<UInt8>
    var stride: Int
    var red: UInt8
    var green: UInt8
    var blue: UInt8
    /// 255 is opaque.
    var opacity: UInt8

    /// Nothing where there is nothing to draw. Clips to a frame of the given size: libass promises to have done so, but
    /// a write outside a plane is too high a price for trust.
    init?(_ image: ASS_Image, frameWidth: Int, frameHeight: Int) {
        guard let bitmap = image.bitmap else { return nil }
        let left = max(Int(image.dst_x), 0)
        let top = max(Int(image.dst_y), 0)
        width = min(Int(image.dst_x) + Int(image.w), frameWidth) - left
        height = min(Int(image.dst_y) + Int(image.h), frameHeight) - top
        opacity = 255 - UInt8(truncatingIfNeeded: image.color)
        guard width > 0, height > 0, opacity > 0 else { return nil }
        x = left
        y = top
        stride = Int(image.stride)
        coverage = UnsafePointer(bitmap) + (top - Int(image.dst_y)) * stride + (left - Int(image.dst_x))
        red = UInt8(truncatingIfNeeded: image.color >> 24)
        green = UInt8(truncatingIfNeeded: image.color >> 16)
        blue = UInt8(truncatingIfNeeded: image.color >> 8)
    }
}
