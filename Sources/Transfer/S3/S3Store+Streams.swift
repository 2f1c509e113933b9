public import ByteIO

extension S3Store {
    public func source(_ key: String, options: RangeSourceOptions = RangeSourceOptions()) async throws -> any ByteSource
    {
        try await RangeSource(
            StoreObject(self, key: key, info: try await head(key)), options: options)
    }

    public func sink(
        _ key: String, options: ObjectOptions = ObjectOptions(), upload: UploadOptions = UploadOptions()
    ) async throws -> any ByteSink {
        try S3Address.validate(key)
        return try await MultipartSink(self, key: key, options: options, upload: upload)
    }
}
