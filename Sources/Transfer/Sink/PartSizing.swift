/// How large the parts of an upload are. All have one size but the last, as R2 wants it, and so it is fixed before the
/// first byte.
struct PartSizing: Equatable {
    /// In bytes; a whole number of MiB where it is more than was asked for.
    let partSize: Int64
    /// The most bytes that the object may have.
    let largestObject: Int64

    /// How much more than was expected an object may become before its parts run out: a tenth.
    private static let reserve: Int64 = 10

    /// - Throws: ``TransferError`` with code `tooLarge` if no part size will do.
    init(_ options: UploadOptions, limits: MultipartLimits, name: String) throws(TransferError) {
        let parts = Int64(max(1, limits.parts))
        var size = max(options.partSize, limits.smallestPart, 1)
        if let expected = options.expectedSize, expected > 0 {
            let (sum, overflow) = expected.addingReportingOverflow(expected / Self.reserve)
            let needed = ((overflow ? expected : sum) - 1) / parts + 1
            if needed > size { size = ((needed - 1) >> 20 + 1) << 20 }
        }
        guard size <= limits.largestPart else {
            throw TransferError(
                .tooLarge,
                "\(name) cannot be uploaded: \(parts) parts of at most \(limits.largestPart) bytes do not hold "
                    + (options.expectedSize.map { "\($0) bytes" } ?? "it"), isRetryable: false,
                mayHaveTakenEffect: false)
        }
        partSize = size
        largestObject = size.multipliedReportingOverflow(by: parts).overflow ? .max : size * parts
    }
}
