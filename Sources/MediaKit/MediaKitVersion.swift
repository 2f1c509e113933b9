/// The version of this package.
public enum MediaKitVersion {
    /// As the release's tag says it: "major.minor.patch".
    public static let current = "0.1.0"
}
