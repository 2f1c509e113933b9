/// Where an input is read from or an output goes to, as a job's payload or a command line names it.
public enum ObjectLocation: Sendable, Hashable {
    /// `s3://bucket/key`, the key percent-encoded where it must be.
    case bucket(String, key: String)
    /// `https://…`, `http://…`
    case web(HTTPURL)
    /// `file:///path`: a file below one of the roots that the configuration allows.
    case file(path: String)
    /// `store://key`: in the default store.
    case store(key: String)
}
