extension Array {
    /// The first index from which on `condition` holds; `endIndex` if it holds for none. It must hold for all elements
    /// behind one that it holds for.
    func partitionPoint(where condition: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
