import Glibc

extension Double {
    /// The number with so many decimal places, filled up with spaces in front to `width`.
    func fixed(_ places: Int, width: Int = 0) -> String {
        guard isFinite, abs(self) < 1e15 else { return "\(self)" }
        let scale = pow(10.0, Double(places))
        let whole = Int64((abs(self) * scale).rounded())
        var text = "\(whole / Int64(scale))"
        if places > 0 {
            let fraction = "\(whole % Int64(scale))"
            text += "." + String(repeating: "0", count: places - fraction.count) + fraction
        }
        if self < 0, whole != 0 { text = "-" + text }
        return String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
