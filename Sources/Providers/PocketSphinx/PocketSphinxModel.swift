import Glibc

/// The three files that PocketSphinx needs, in a folder as distributions have it: a folder with the acoustic model, a
/// language model `*.lm.bin` and a dictionary `*.dict`.
public struct PocketSphinxModel: Sendable, Hashable {
    /// The folder of the acoustic model.
    let acoustic: String
    let language: String
    let dictionary: String
    /// An ISO 639-1 code by the folder's name; `nil` where that is none.
    let languageCode: String?

    /// Debian's.
    public static let usualFolder = "/usr/share/pocketsphinx/model/en-us"

    /// - Throws: ``ProviderError`` with code `configuration`, naming what is missing.
    public init(folder: String) throws(ProviderError) {
        let folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        guard let names = Self.names(in: folder) else { throw Self.missing("there is no folder \(folder)") }
        guard let acoustic = names.first(where: { Self.exists("\(folder)/\($0)/mdef") }) else {
            throw Self.missing("\(folder) has no acoustic model, a folder with the file mdef")
        }
        // Beside it lies one of phones.
        guard let language = names.first(where: { $0.hasSuffix(".lm.bin") && !$0.hasSuffix("-phone.lm.bin") }) else {
            throw Self.missing("\(folder) has no language model, a file *.lm.bin")
        }
        guard let dictionary = names.first(where: { $0.hasSuffix(".dict") }) else {
            throw Self.missing("\(folder) has no dictionary, a file *.dict")
        }
        self.acoustic = "\(folder)/\(acoustic)"
        self.language = "\(folder)/\(language)"
        self.dictionary = "\(folder)/\(dictionary)"
        let code = (folder.split(separator: "/").last ?? "").prefix { $0.isLetter && $0.isLowercase }
        languageCode = code.utf8.count == 2 ? String(code) : nil
    }

    private static func missing(_ what: String) -> ProviderError {
        ProviderError(
            .configuration, what, provider: PocketSphinxTranscriber.name,
            hint: "install Debian's pocketsphinx-en-us, or name the folder of another model in POCKETSPHINX_MODEL")
    }

    private static func exists(_ path: String) -> Bool { access(path, R_OK) == 0 }

    /// In the order of the alphabet.
    private static func names(in folder: String) -> [String]? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
