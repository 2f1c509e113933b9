extension String {
    /// At most `limit` bytes of UTF-8, whole characters of Unicode, with "…" behind them where something was cut away.
    func cut(to limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: limit)
        while end > utf8.startIndex, UTF8.isContinuation(utf8[end]) { utf8.formIndex(before: &end) }
        return String(self[..<end]) + "…"
    }
}
