extension String {
    /// A location as it may be shown: a URL of the web without user info, query and fragment, where signatures and
    /// passwords are; anything else as it is.
    var shownLocation: String {
        guard let web = webLocation else { return self }
        let authority = web.rest.prefix { $0 != "/" }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        return "\(web.scheme)\(host)\(web.rest[authority.endIndex...])"
    }

    /// A location without what a URL of the web has behind its path: it ends as the file's name does.
    var locationPath: Substring { webLocation?.rest ?? self[...] }

    /// RFC 3986, §3: `scheme://` and what follows up to the query or fragment.
    private var webLocation: (scheme: Substring, rest: Substring)? {
        let scheme = prefix { $0 != ":" }
        guard ["http", "https"].contains(scheme.lowercased()), self[scheme.endIndex...].hasPrefix("://") else {
            return nil
        }
        let start = index(scheme.endIndex, offsetBy: 3)
        return (self[..<start], self[start...].prefix { $0 != "?" && $0 != "#" })
    }
}
