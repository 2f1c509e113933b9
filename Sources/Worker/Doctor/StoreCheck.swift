import Transfer

/// Whether the default store takes an object, gives it back, also by a presigned URL, and lets it go.
struct StoreCheck: DoctorCheck {
    let name = "store"

    func run(_ context: DoctorContext) async throws -> [DoctorFinding] {
        let settings = context.configuration.storage
        guard settings.defaultStore != nil else {
            return [
                .note(
                    "there is no default store: jobs must name their outputs, and there are no uploads",
                    "set KILN_STORE to s3://bucket or a folder's path, or R2_BUCKET_NAME")
            ]
        }
        let key = "kiln-doctor-\(UInt64.random(in: .min ... .max))"
        let stores = try settings.stores(web: .trusted)
        guard let (store, _) = try stores.store(for: .store(key: key)) else {
            return [.wrong("the default store is not to be had")]
        }
        let bytes = Array("written by kiln doctor, and deleted at once\n".utf8)
        do {
            _ = try await store.put(key, bytes, options: ObjectOptions(contentType: "text/plain"))
        } catch {
            // The store may have taken it and not said so, also when the check's time was up, which cancels it.
            _ = try? await Task { try await store.delete(key) }.value
            throw error
        }
        var findings: [DoctorFinding]
        do {
            findings = try await Self.reading(store, key, bytes, certificates: settings.certificateAuthorities)
        } catch {
            findings = [Doctor.finding(for: error)]
        }
        // Also when reading has failed, or the check's time was up, which cancels it.
        do {
            try await Task { try await store.delete(key) }.value
        } catch {
            let failure = Doctor.finding(for: error)
            findings.append(
                .wrong(
                    "\(key) cannot be deleted: \(failure.text)",
                    failure.remedy ?? "let the credentials delete objects"))
        }
        let isFine = !findings.contains { $0.verdict == .wrong }
        return (isFine ? [.ok("\(store.name) takes, gives back and deletes objects")] : []) + findings
    }

    private static func reading(
        _ store: any ObjectStore, _ key: String, _ bytes: [UInt8], certificates: String?
    ) async throws -> [DoctorFinding] {
        let read = try await store.read(key, range: nil, ifMatch: nil) { content in
            var read: [UInt8] = []
            for try await chunk in content.bytes { read += chunk }
            return read
        }
        guard read == bytes else { return [.wrong("\(store.name) gave back something else than was written")] }
        let link: PresignedURL
        do {
            link = try await store.presign(.get(), key, expiresIn: .seconds(60))
        } catch let error as TransferError where error.code == .unsupported {
            return [.note("\(store.name) has no URLs: results are read from the folder")]
        }
        let client = try HTTPClient(
            HTTPConfiguration(retries: .none, certificateAuthorities: certificates), logger: DoctorContext.silence)
        do {
            let reply = try await client.send(
                HTTPRequest(.get, try HTTPURL(link.url), headers: link.headers, destination: .trusted))
            return reply.body == bytes ? [] : [.wrong("a presigned URL of \(store.name) gives something else")]
        } catch {
            let failure = Doctor.finding(for: error)
            return [.wrong("a presigned URL of \(store.name) does not work: \(failure.text)", failure.remedy)]
        }
    }
}
