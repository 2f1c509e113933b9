import CAVShim

/// Channel layouts as text ("mono", "stereo", "5.1"): libav's struct may own memory, which text does not.
enum ChannelLayout {
    /// The layout's text. One whose order is unknown becomes the usual one for that many channels.
    static func describe(_ layout: UnsafeMutablePointer<AVChannelLayout>) -> String {
        if layout.pointee.order == AV_CHANNEL_ORDER_UNSPEC { return standard(channels: layout.pointee.nb_channels) }
        return text(layout)
    }

    /// The usual layout for `channels`: mono, stereo, …
    static func standard(channels: Int32) -> String {
        var layout = AVChannelLayout()
        av_channel_layout_default(&layout, channels)
        defer { av_channel_layout_uninit(&layout) }
        return text(&layout)
    }

    /// How many channels the layout has; 0 if it is not one.
    static func count(_ description: String) -> Int {
        var layout = AVChannelLayout()
        defer { av_channel_layout_uninit(&layout) }
        return av_channel_layout_from_string(&layout, description) < 0 ? 0 : Int(layout.nb_channels)
    }

    private static func text(_ layout: UnsafeMutablePointer<AVChannelLayout>) -> String {
        var buffer = [CChar](repeating: 0, count: 1024)
        // It answers how many bytes it would have needed.
        guard (0...Int32(buffer.count)).contains(av_channel_layout_describe(layout, &buffer, buffer.count)) else {
            return ""
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
