import CAVShim

/// The owner of an AVDictionary of options. libav takes out what it understands and leaves the rest.
final class Options {
    var raw: OpaquePointer?

    init(_ values: [String: String] = [:]) {
        for (key, value) in values.sorted(by: { $0.key < $1.key }) { av_dict_set(&raw, key, value, 0) }
    }

    deinit { av_dict_free(&raw) }

    /// Everything in a dictionary that belongs to somebody else.
    static func read(_ dictionary: OpaquePointer?) -> [(key: String, value: String)] {
        var entries: [(key: String, value: String)] = []
        var entry: UnsafeMutablePointer<AVDictionaryEntry>?
        while true {
            entry = av_dict_get(dictionary, "", entry, AV_DICT_IGNORE_SUFFIX)
            guard let entry else { return entries }
            entries.append((String(cString: entry.pointee.key), String(cString: entry.pointee.value)))
        }
    }

    /// Throws if anything was left over: an option that the codec or container does not know.
    func requireAllUsed(by what: String) throws {
        let left = Self.read(raw)
        guard let first = left.first else { return }
        throw MediaError(.unsupported, "\(what) has no option \"\(first.key)\"")
    }
}
