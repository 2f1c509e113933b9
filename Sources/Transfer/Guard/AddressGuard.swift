/// Says where requests may go whose URLs come from others (server-side request forgery).
///
/// A name proves nothing: it may lead to any address, and to another one a moment later. So it is the address that
/// decides, at the moment it is connected to, and again for each redirect and each request on a connection that was
/// open already. Public addresses pass; all else does not: private networks, the machine itself, link-local addresses
/// with the cloud's metadata service among them, and IPv6 addresses that carry such an IPv4 address inside.
///
/// ```swift
/// var guarding = AddressGuard()
/// guarding.allowedNetworks = [IPNetwork("10.20.0.0/16")].compactMap(\.self)
/// guarding.allowedHosts = ["*.media.internal"]
/// ```
public struct AddressGuard: Sendable, Hashable {
    /// Addresses that pass although they are not public. The only way to a metadata service.
    public var allowedNetworks: [IPNetwork]
    /// Addresses that do not pass although they are public.
    public var deniedNetworks: [IPNetwork]
    /// Hosts whose addresses pass, metadata services apart: "minio.internal", or "*.internal" for all names below.
    public var allowedHosts: [String]
    /// If set, no other hosts than these and those in `allowedHosts`; same notation. Their addresses are looked at all
    /// the same.
    public var onlyHosts: [String]?
    /// Whether `http:` passes, or `https:` only. Default true.
    public var allowsPlainHTTP: Bool

    /// By default all public addresses pass, over http and https, and no others.
    public init(
        allowedNetworks: [IPNetwork] = [], deniedNetworks: [IPNetwork] = [], allowedHosts: [String] = [],
        onlyHosts: [String]? = nil, allowsPlainHTTP: Bool = true
    ) {
        self.allowedNetworks = allowedNetworks
        self.deniedNetworks = deniedNetworks
        self.allowedHosts = allowedHosts
        self.onlyHosts = onlyHosts
        self.allowsPlainHTTP = allowsPlainHTTP
    }

    /// Why a URL may not even be looked up, or `nil` if its address decides.
    func objection(to url: HTTPURL) -> TransferError? {
        var reason: String?
        if url.scheme == .http, !allowsPlainHTTP {
            reason = "only https is allowed"
        } else if let onlyHosts, !Self.matches(url.host, onlyHosts), !Self.matches(url.host, allowedHosts) {
            reason = "its host is not among those that are allowed"
        }
        return reason.map { Self.refusal($0) }
    }

    /// Why the address that a host leads to may not be connected to, or `nil` if it may.
    func objection(to address: IPAddress, of host: String) -> TransferError? {
        // An IPv4 address may come inside an IPv6 one; the lists mean either.
        let forms = [address] + [AddressKind.embedded(in: address)].compactMap(\.self)
        func isIn(_ networks: [IPNetwork]) -> Bool {
            networks.contains { network in forms.contains { network.contains($0) } }
        }
        if isIn(deniedNetworks) { return Self.refusal("it leads to an address that the configuration denies") }
        if isIn(allowedNetworks) { return nil }
        guard let kind = AddressKind(address).restricted else { return nil }
        if kind != .metadata, Self.matches(host, allowedHosts) { return nil }
        return Self.refusal("it leads to \(kind.rawValue)")
    }

    private static func refusal(_ reason: String) -> TransferError {
        TransferError(
            .forbiddenAddress, "this URL may not be fetched: \(reason)",
            hint: "if it is meant, allow its host or network in the configuration", isRetryable: false,
            mayHaveTakenEffect: false)
    }

    /// Whether a host is one of `patterns`. A dot at its end is of no meaning.
    static func matches(_ host: String, _ patterns: [String]) -> Bool {
        let host = host.hasSuffix(".") ? host.dropLast() : host[...]
        return patterns.contains { pattern in
            if pattern.hasPrefix("*.") {
                let suffix = pattern.dropFirst()
                return host.utf8.count > suffix.utf8.count
                    && host.suffix(suffix.count).isEqualIgnoringCase(to: suffix)
            }
            return host.isEqualIgnoringCase(to: pattern)
        }
    }
}
