import CAVShim
import Glibc

@testable import MediaKit

/// libavfilter's `ass` filter on frames in memory: what our pictures are compared with.
final class PeerCaptionFilter {
    private var graph: UnsafeMutablePointer<AVFilterGraph>?
    private var source: UnsafeMutablePointer<AVFilterContext>?
    private var sink: UnsafeMutablePointer<AVFilterContext>?
    private let path: String

    /// Nil where this libavfilter has no `ass` filter or refuses the format.
    init?(script: [UInt8], width: Int, height: Int, format: AVPixelFormat) {
        var name = Array("/tmp/kiln-peer-XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0 else { return nil }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let written = script.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        graph = avfilter_graph_alloc()
        guard written == script.count, let graph, let buffer = avfilter_get_by_name("buffer"),
            let ass = avfilter_get_by_name("ass"), let buffersink = avfilter_get_by_name("buffersink")
        else { return nil }
        let arguments = "video_size=\(width)x\(height):pix_fmt=\(format.rawValue):time_base=1/1000:pixel_aspect=1/1"
        var filter: UnsafeMutablePointer<AVFilterContext>?
        guard avfilter_graph_create_filter(&source, buffer, "in", arguments, nil, graph) >= 0,
            avfilter_graph_create_filter(&filter, ass, "ass", "filename=\(path)", nil, graph) >= 0,
            avfilter_graph_create_filter(&sink, buffersink, "out", nil, nil, graph) >= 0,
            avfilter_link(source, 0, filter, 0) >= 0, avfilter_link(filter, 0, sink, 0) >= 0,
            avfilter_graph_config(graph, nil) >= 0
        else { return nil }
    }

    deinit {
        avfilter_graph_free(&graph)
        unlink(path)
    }

    /// Draws on 8-bit planar samples, rows without padding. Nil on failure.
    func draw(_ picture: CaptionTestPicture, at milliseconds: Int64, format: AVPixelFormat) -> CaptionTestPicture? {
        var frame = av_frame_alloc()
        var drawn = av_frame_alloc()
        defer {
            av_frame_free(&frame)
            av_frame_free(&drawn)
        }
        guard let input = frame, let output = drawn else { return nil }
        input.pointee.width = Int32(picture.width)
        input.pointee.height = Int32(picture.height)
        input.pointee.format = format.rawValue
        guard av_frame_get_buffer(input, 0) >= 0 else { return nil }
        input.pointee.pts = milliseconds
        var result = picture
        for plane in picture.samples.indices {
            guard let (base, stride) = Self.plane(input, plane) else { return nil }
            for (index, sample) in picture.samples[plane].enumerated() {
                let columns = picture.width(ofPlane: plane)
                base[index / columns * stride + index % columns] = UInt8(sample)
            }
        }
        guard av_buffersrc_write_frame(source, input) >= 0, av_buffersink_get_frame(sink, output) >= 0 else {
            return nil
        }
        for plane in result.samples.indices {
            guard let (base, stride) = Self.plane(output, plane) else { return nil }
            for index in result.samples[plane].indices {
                let columns = result.width(ofPlane: plane)
                result.samples[plane][index] = UInt16(base[index / columns * stride + index % columns])
            }
        }
        return result
    }

    private static func plane(
        _ frame: UnsafeMutablePointer<AVFrame>, _ index: Int
    ) -> (UnsafeMutablePointer<UInt8>, Int)? {
        let data = frame.pointee.data
        let linesize = frame.pointee.linesize
        switch index {
        case 0: return data.0.map { ($0, Int(linesize.0)) }
        case 1: return data.1.map { ($0, Int(linesize.1)) }
        case 2: return data.2.map { ($0, Int(linesize.2)) }
        default: return nil
        }
    }
}
