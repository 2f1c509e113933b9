/// How a source will be read from now on, as far as its reader knows.
public enum ExpectedReads: Sendable, Hashable {
    /// In order, from wherever the next read begins: reading ahead pays.
    case forward
    /// A little here and there, as while an index is looked for: what lies ahead is hardly wanted.
    case scattered
    /// These bytes, in any order, and hardly any others. The ranges may overlap.
    case ranges([Range<Int64>])
}

/// A source to which every byte costs something, and which therefore wants to know what will be read.
///
/// What is expected is a hint: any other byte can still be read, only later.
public protocol PlannableByteSource: ByteSource {
    /// Tells how it will be read from now on. Called from the reader's thread.
    func expect(_ reads: ExpectedReads)
}
