import CFontconfig

/// The fonts that fontconfig knows, which is where libass looks for those that a request does not bring.
enum SystemFonts {
    /// The names of all families, sorted, each once; and the number of files that they are in.
    static func list() -> (families: [String], files: Int) {
        guard let pattern = FcPatternCreate() else { return ([], 0) }
        defer { FcPatternDestroy(pattern) }
        guard let wanted = FcObjectSetCreate() else { return ([], 0) }
        defer { FcObjectSetDestroy(wanted) }
        for property in [FC_FAMILY, FC_FILE] { _ = FcObjectSetAdd(wanted, property) }
        // The first argument stands for the process's own configuration, which is loaded once.
        guard let found = FcFontList(nil, pattern, wanted) else { return ([], 0) }
        defer { FcFontSetDestroy(found) }

        var families: Set<String> = []
        var files: Set<String> = []
        for index in 0..<Int(found.pointee.nfont) {
            guard let font = found.pointee.fonts?[index] else { continue }
            // The first name is the one that scripts use; further ones are translations of it.
            if let family = string(FC_FAMILY, of: font) { families.insert(family) }
            if let file = string(FC_FILE, of: font) { files.insert(file) }
        }
        return (families.sorted(), files.count)
    }

    private static func string(_ property: String, of font: OpaquePointer) -> String? {
        var value: UnsafeMutablePointer<FcChar8>?
        // The string belongs to the pattern.
        guard FcPatternGetString(font, property, 0, &value) == FcResultMatch, let value else { return nil }
        return String(cString: value)
    }
}
