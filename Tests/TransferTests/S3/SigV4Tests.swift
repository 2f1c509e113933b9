import Testing

@testable import Transfer

@Suite struct SigV4Tests {
    private static let credentials = Credentials(
        accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    /// 2013-05-24T00:00:00Z
    private static let time2013 = 1_369_353_600.0
    /// 2026-01-01T12:00:00Z
    private static let time2026 = 1_767_268_800.0

    struct Vector: Sendable, CustomTestStringConvertible {
        var name: String
        var method = HTTPMethod.get
        var url: String
        var headers: HTTPHeaders = [:]
        var payload = SigV4.Payload.empty
        var region = "us-east-1"
        var time = SigV4Tests.time2013
        var signature: String
        var testDescription: String { name }
    }

    /// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    private static let published: [Vector] = [
        Vector(
            name: "GET with a range", url: "https://examplebucket.s3.amazonaws.com/test.txt",
            headers: ["Range": "bytes=0-9"],
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Vector(
            name: "PUT with a body", method: .put,
            url: "https://examplebucket.s3.amazonaws.com/test%24file.text",
            headers: ["Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"],
            payload: .hash(of: Array("Welcome to Amazon S3.".utf8)),
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Vector(
            name: "a parameter without a value", url: "https://examplebucket.s3.amazonaws.com/?lifecycle",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Vector(
            name: "parameters", url: "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    private static let r2 = "https://acct0123456789.r2.cloudflarestorage.com"
    private static let others: [Vector] = [
        Vector(
            name: "an upload is begun", method: .post, url: "\(r2)/media/out/clip%201%2B%C3%A9.mp4?uploads=",
            region: "auto", time: time2026,
            signature: "0d62b6503caa37eb4b3eaee84a5633dd376e34fc42e0342a0ec5341503d9afb3"),
        Vector(
            name: "a part", method: .put,
            url: "\(r2)/media/out/clip%201%2B%C3%A9.mp4?uploadId=A%2Fb%2Bc%3D%3D&partNumber=2", payload: .unsigned,
            region: "auto", time: time2026,
            signature: "98bbcbb3f3339761f14a1825f17bc83e079d1fa500cb768d6b3aff194dc50ed7"),
        Vector(
            name: "a range of one version", url: "\(r2)/media/in/a%28b%29%3Dc.wav",
            headers: ["Range": "bytes=0-1048575", "If-Match": "\"9b2cf535f27731c974343645a3985328\""], region: "auto",
            time: time2026, signature: "02a62ade9b3abad80c06695049d23805c19b8ce76841e563ea944b7d2ad2de3e"),
    ]

    @Test(arguments: published + others) func `known signatures come out`(_ vector: Vector) throws {
        var request = HTTPRequest(vector.method, try HTTPURL(vector.url), headers: vector.headers)
        SigV4(Self.credentials, region: vector.region, time: vector.time).sign(&request, payload: vector.payload)
        #expect(request.headers["Authorization"]?.hasSuffix("Signature=\(vector.signature)") == true)
    }

    /// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    @Test func `the published presigned URL comes out`() throws {
        let url = SigV4(Self.credentials, region: "us-east-1", time: Self.time2013).presigned(
            .get, try HTTPURL("https://examplebucket.s3.amazonaws.com/test.txt"), expiresIn: 86_400)
        #expect(
            url.query
                == "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
                + "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
                + "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    @Test func `the canonical request is the one that AWS shows`() throws {
        let request = CanonicalRequest(
            .get, try HTTPURL("https://examplebucket.s3.amazonaws.com/test.txt"),
            headers: [
                "Host": "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z", "Range": "bytes=0-9",
                "x-amz-content-sha256": SigV4.Payload.empty.text,
            ], payload: .empty)
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(
            request.text == """
                GET
                /test.txt

                host:examplebucket.s3.amazonaws.com
                range:bytes=0-9
                x-amz-content-sha256:\(empty)
                x-amz-date:20130524T000000Z

                host;range;x-amz-content-sha256;x-amz-date
                \(empty)
                """)
        #expect(
            SigV4(Self.credentials, region: "us-east-1", time: Self.time2013).stringToSign(request) == """
                AWS4-HMAC-SHA256
                20130524T000000Z
                20130524/us-east-1/s3/aws4_request
                7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972
                """)
    }

    @Test func `botocore signs the same, whatever the key, query and headers`() throws {
        for vector in botocoreSignatures {
            let address = S3Address(
                bucket: "media",
                settings: S3Settings(endpoint: try HTTPURL(vector.endpoint), region: vector.region))
            let url = try address.url(
                region: vector.region, key: vector.key, query: vector.query.map { (name: $0.0, value: $0.1) })
            var credentials = Self.credentials
            credentials.sessionToken = vector.token
            let signer = SigV4(credentials, region: vector.region, time: vector.time)
            let method = HTTPMethod(rawValue: vector.method)
            var request = HTTPRequest(
                method, url, headers: HTTPHeaders(vector.headers.map { .init(name: $0.0, value: $0.1) }))
            signer.sign(&request, payload: vector.isUnsigned ? .unsigned : .hash(of: vector.body))
            let authorization = request.headers["Authorization"] ?? ""
            #expect(authorization.contains("SignedHeaders=\(vector.signedHeaders), "))
            #expect(authorization.hasSuffix("Signature=\(vector.signature)"), "\(vector.method) \(vector.key)")
            guard let signature = vector.presigned else { continue }
            let presigned = signer.presigned(method, url, expiresIn: 3600)
            #expect(
                presigned.query?.hasSuffix("X-Amz-Signature=\(signature)") == true,
                "presigned \(vector.method) \(vector.key)")
        }
        #expect(botocoreSignatures.count >= 50)
    }

    @Test func `a client's own headers are not signed`() throws {
        var request = HTTPRequest(
            .get, try HTTPURL("https://example.com:8443/a"),
            headers: ["User-Agent": "kiln", "Accept-Encoding": "gzip", "X-Amz-Meta-A": "  1   2 "])
        SigV4(Self.credentials, region: "auto", time: Self.time2013).sign(&request, payload: .unsigned)
        #expect(
            request.headers["Authorization"]?.contains(
                "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a,") == true)
    }

    @Test(arguments: [
        (0.0, "19700101T000000Z"), (1_369_353_600, "20130524T000000Z"), (951_782_399.9, "20000228T235959Z"),
        (951_782_400, "20000229T000000Z"), (1_735_689_599, "20241231T235959Z"), (4_107_542_400, "21000301T000000Z"),
        (-1, "19691231T235959Z"),
    ]) func `times are written in UTC`(_ seconds: Double, _ text: String) {
        #expect(AmazonDate(seconds).moment == text)
        #expect(AmazonDate(seconds).day == String(text.prefix(8)))
    }

    @Test func `times of listings are read`() {
        #expect(AmazonDate.seconds("2013-05-24T00:00:00.000Z") == 1_369_353_600)
        #expect(AmazonDate.seconds("2013-05-24T02:00:00.5+02:00") == 1_369_353_600.5)
        #expect(AmazonDate.seconds("2013-05-23T22:30:00-01:30") == 1_369_353_600)
        for text in [
            "", "2013-05-24", "2013-13-24T00:00:00Z", "2013-05-24T00:00:00", "2013-05-24T00:00:00.Z",
            "yesterday, at noon sharp",
        ] {
            #expect(AmazonDate.seconds(text) == nil, "\(text)")
        }
    }
}
