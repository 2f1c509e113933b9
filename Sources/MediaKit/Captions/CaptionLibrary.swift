import CLibass

/// The owner of one libass library and renderer, with its fonts. Starting one reads the system's font configuration,
/// which takes some milliseconds.
///
/// Thread safety: not safe for use from two threads at once.
final class CaptionLibrary {
    let library: OpaquePointer
    let renderer: OpaquePointer
    let log: CaptionLog
    let fonts: [FontFile]
    private let defaultFamily: String?
    private var hasFonts = false

    /// - Parameters:
    ///   - fonts: fonts to look in before the system's.
    ///   - defaultFamily: the family that stands in where the one asked for is not installed.
    /// - Throws: `MediaError` with `internal` if libass cannot be started.
    init(fonts: [FontFile], defaultFamily: String?) throws {
        self.fonts = fonts
        self.defaultFamily = defaultFamily
        log = try CaptionLog()
        guard let library = ass_library_init() else {
            throw MediaError(.internal, "libass could not be started")
        }
        log.attach(to: library)
        ass_set_extract_fonts(library, 1)
        for font in fonts where !font.bytes.isEmpty && font.bytes.count <= Int(Int32.max) {
            font.bytes.withUnsafeBytes {
                ass_add_font(library, font.name, $0.bindMemory(to: CChar.self).baseAddress, Int32($0.count))
            }
        }
        guard let renderer = ass_renderer_init(library) else {
            ass_library_done(library)
            throw MediaError(.internal, "libass could not start a renderer")
        }
        self.library = library
        self.renderer = renderer
        // Glyphs, and megabytes of bitmaps. libass's own default is more than a job's captions ever use.
        ass_set_cache_limits(renderer, 10_000, 64)
    }

    deinit {
        ass_renderer_done(renderer)
        ass_library_done(library)
    }

    /// Looks for the fonts. To be called once a script was read, so that fonts attached to it are known; later calls
    /// do nothing.
    func findFonts() {
        guard !hasFonts else { return }
        hasFonts = true
        ass_set_fonts(renderer, nil, defaultFamily, Int32(ASS_FONTPROVIDER_AUTODETECT.rawValue), nil, 1)
    }
}
