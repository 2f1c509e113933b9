import Transfer

extension HTTPURL {
    /// An endpoint below this URL, whose path may end with a slash or not.
    func endpoint(_ path: String) -> HTTPURL {
        var url = self
        while url.path.hasSuffix("/") { url.path.removeLast() }
        url.path += "/" + path
        return url
    }
}
