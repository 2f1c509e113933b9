extension HTTPURL {
    /// The URL that `reference` means when it is found at this one, as in a `Location` header. RFC 3986, §5.2.
    ///
    /// - Throws: ``TransferError`` with code `badURL`.
    public func resolving(_ reference: String) throws(TransferError) -> HTTPURL {
        let reference = reference.prefix { $0 != "#" }
        if let colon = reference.firstIndex(of: ":"), colon != reference.startIndex,
            reference[..<colon].utf8.allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || "+-.".utf8.contains($0) }),
            reference[reference.startIndex].isLetter
        {
            return try HTTPURL(String(reference))
        }
        if reference.hasPrefix("//") { return try HTTPURL("\(scheme.rawValue):\(reference)") }
        let question = reference.firstIndex(of: "?")
        let path = reference[..<(question ?? reference.endIndex)]
        let query = question.map { String(reference[reference.index(after: $0)...]) }
        let target: String
        if path.isEmpty {
            target = self.path
        } else if path.hasPrefix("/") {
            target = Self.withoutDots(String(path))
        } else {
            let folder = self.path[...(self.path.lastIndex(of: "/") ?? self.path.startIndex)]
            target = Self.withoutDots(String(folder) + path)
        }
        return try HTTPURL(
            scheme: scheme, host: host, port: port, path: target, query: path.isEmpty ? query ?? self.query : query)
    }

    /// RFC 3986, §5.2.4.
    private static func withoutDots(_ path: String) -> String {
        var kept: [Substring] = []
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { kept.append("") }
            case "..":
                _ = kept.popLast()
                if isLast { kept.append("") }
            default: kept.append(segment)
            }
        }
        return "/" + kept.joined(separator: "/")
    }
}
