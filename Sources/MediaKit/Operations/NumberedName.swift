extension String {
    /// The location of output `number` of several, counted from 1: `{n}` stands for it, or it is put before the ending.
    func numbered(_ number: Int) -> String {
        let digits = String(repeating: "0", count: max(0, 3 - String(number).count)) + String(number)
        if let place = firstRange(of: "{n}") {
            return String(self[..<place.lowerBound]) + digits + String(self[place.upperBound...])
        }
        guard let dot = lastIndex(of: "."), !self[dot...].contains("/") else { return "\(self)-\(digits)" }
        return "\(self[..<dot])-\(digits)\(self[dot...])"
    }
}
