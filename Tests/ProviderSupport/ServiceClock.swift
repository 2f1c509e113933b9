/// What a stand-in says of the time to wait.
public enum ServiceClock {
    /// `Retry-After` in whole seconds.
    public static func retryAfter(_ seconds: Int) -> (name: String, value: String) { ("Retry-After", "\(seconds)") }
}
