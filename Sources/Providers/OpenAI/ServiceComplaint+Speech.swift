/// What servers of speech object to, as far as something else can be sent instead.
extension ServiceComplaint {
    /// It does not know the form of the answer that was asked for.
    var isAboutForm: Bool {
        ["response_format", "verbose_json", "granularit", "diarized_json"].contains { mentions($0) }
    }

    /// The recording is longer than the model takes.
    var isAboutLength: Bool {
        ["longer than", "too long", "too large", "maximum duration", "maximum content size"].contains { mentions($0) }
            || mentions("duration") && ["exceed", "maximum", "limit"].contains { mentions($0) }
    }

    /// It cannot read this kind of file, or says nothing better of one that it cannot read.
    var isAboutFile: Bool {
        [
            "file format", "audio format", "audio_format", "format not recogni", "file type", "media type",
            "following types", "failed to read", "failed to decode", "cannot be decoded", "could not be decoded",
            "could not decode", "corrupted or unsupported", "invalid data found",
        ].contains { mentions($0) }
    }
}
