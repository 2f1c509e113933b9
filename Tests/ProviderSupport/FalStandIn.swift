import Locking
package import Providers
package import Transfer
package import TransferTestSupport

/// The queue of fal.ai: orders, their states, results and files.
///
/// Thread-safe.
package final class FalStandIn: Sendable {
    /// What was ordered.
    package struct Order: Sendable {
        /// From 1.
        package var number: Int
        package var endpoint: String
        package var input: JSONTree
        package var isCancelled = false
        /// How often its state was asked for.
        package var polls = 0
    }

    /// What becomes of an order.
    package enum Outcome: Sendable {
        case done(JSONTree)
        /// COMPLETED with an error, and the result's status and body.
        case failed(String, status: Int, body: String, headers: HTTPHeaders = [:])
        /// It waits for as long as somebody asks.
        case never
        /// Its result is gone.
        case expired
    }

    package let submitFaults: ServiceFaults
    package let statusFaults: ServiceFaults
    package let resultFaults: ServiceFaults
    private let state: Locked<[Order]>
    private let server: RawServer

    /// - Parameters:
    ///   - polls: how often an order is waited for before it is done.
    ///   - origin: where orders are said to be; `nil` for here.
    ///   - outcome: called when an order is done, with where files are: "http://127.0.0.1:4711/files".
    package init(
        key: String = "key-id:key-secret-0123", polls: Int = 2, origin: String? = nil,
        outcome: @escaping @Sendable (Order, _ files: String) -> Outcome
    ) throws {
        let state = Locked<[Order]>([])
        self.state = state
        let (submitFaults, statusFaults, resultFaults) = (ServiceFaults(), ServiceFaults(), ServiceFaults())
        self.submitFaults = submitFaults
        self.statusFaults = statusFaults
        self.resultFaults = resultFaults
        server = try RawServer { connection in
            while let (head, body) = try connection.readRequest() {
                let here = "http://\(head.headers["Host"] ?? "")"
                let parts = head.path.split(separator: "/").map(String.init)
                if parts.first == "files" {
                    // Files are anybody's: who shows a key here gives it away.
                    let isClean = head.headers["Authorization"] == nil
                    let isThere = parts.last != "gone.png"
                    try connection.respond(
                        !isClean ? 400 : isThere ? 200 : 410, headers: ["Content-Type": "image/png"],
                        body: Array("the file".utf8))
                    continue
                }
                guard head.headers["Authorization"] == "Key \(key)" else {
                    try connection.answer(
                        401, #"{"detail":"Cannot access application. Authentication is required."}"#, fault: nil)
                    continue
                }
                guard let place = parts.firstIndex(of: "requests") else {
                    try FalStandIn.submit(connection, head, parts, body, state, origin ?? here, submitFaults.next())
                    continue
                }
                let number = parts.count > place + 1 ? Int(parts[place + 1].drop { !$0.isNumber }) ?? 0 : 0
                let order = state.withLock { $0.indices.contains(number - 1) ? $0[number - 1] : nil }
                // The path of a request has owner and app alone, not what the endpoint has below.
                guard let order, place == 2, order.endpoint.hasPrefix(parts[0] + "/" + parts[1]) else {
                    try connection.answer(404, #"{"detail":"Request not found"}"#, fault: nil)
                    continue
                }
                switch (head.method, parts.count > place + 2 ? parts[place + 2] : "") {
                case ("GET", "status"):
                    let fault = statusFaults.next()
                    if fault == nil { state.withLock { $0[number - 1].polls += 1 } }
                    try FalStandIn.status(connection, order, outcome(order, here + "/files"), polls: polls, fault)
                case ("GET", ""):
                    try FalStandIn.result(
                        connection, order, outcome(order, here + "/files"), polls: polls, resultFaults.next())
                case ("PUT", "cancel"):
                    state.withLock { $0[number - 1].isCancelled = true }
                    try connection.answer(202, #"{"status":"CANCELLATION_REQUESTED"}"#, fault: nil)
                default: try connection.answer(405, #"{"detail":"Method Not Allowed"}"#, fault: nil)
                }
            }
        }
    }

    package var queueURL: HTTPURL { get throws { try HTTPURL(server.url("")) } }
    package var orders: [Order] { state.withLock { $0 } }
    package var requests: [RawRequest] { server.requests }

    private static func submit(
        _ connection: RawConnection, _ head: RawRequest, _ parts: [String], _ body: [UInt8], _ state: Locked<[Order]>,
        _ origin: String, _ fault: ServiceFault?
    ) throws {
        let endpoint = parts.joined(separator: "/")
        guard head.method == "POST", parts.count >= 2, endpoint != "fal-ai/not-there" else {
            return try connection.answer(404, #"{"detail":"Application 'not-there' not found"}"#, fault: nil)
        }
        guard head.headers["Content-Type"] == "application/json", let input = try? JSONTree(parsing: body),
            input.members != nil
        else { return try connection.answer(422, #"{"detail":"Invalid JSON"}"#, fault: nil) }
        if let objection = FalRules.objection(to: input, endpoint: endpoint) {
            return try connection.answer(422, objection.text, fault: nil)
        }
        // What fails has taken no order.
        if case .status? = fault { return try connection.answer(200, "", fault: fault) }
        let number = state.withLock { orders in
            orders.append(Order(number: orders.count + 1, endpoint: endpoint, input: input))
            return orders.count
        }
        let base = "\(origin)/\(parts[0])/\(parts[1])/requests/order-\(number)"
        let answer: JSONTree = [
            "status": "IN_QUEUE", "request_id": .string("order-\(number)"), "response_url": .string(base),
            "status_url": .string(base + "/status"), "cancel_url": .string(base + "/cancel"), "queue_position": .int(0),
        ]
        try connection.answer(200, answer.text, headers: ["x-fal-request-id": "order-\(number)"], fault: fault)
    }

    private static func status(
        _ connection: RawConnection, _ order: Order, _ outcome: Outcome, polls: Int, _ fault: ServiceFault?
    ) throws {
        var isWaiting = order.polls < polls
        if case .never = outcome { isWaiting = true }
        guard !isWaiting else {
            let body =
                order.polls == 0
                ? #"{"status":"IN_QUEUE","queue_position":1}"# : #"{"status":"IN_PROGRESS","logs":null}"#
            return try connection.answer(202, body, fault: fault)
        }
        if case .failed(let error, _, _, _) = outcome {
            let body: JSONTree = [
                "status": "COMPLETED", "logs": .null, "error": .string(error), "error_type": "runner_error",
            ]
            return try connection.answer(200, body.text, fault: fault)
        }
        try connection.answer(
            200, #"{"status":"COMPLETED","logs":[],"metrics":{"inference_time":1.5}}"#, fault: fault)
    }

    private static func result(
        _ connection: RawConnection, _ order: Order, _ outcome: Outcome, polls: Int, _ fault: ServiceFault?
    ) throws {
        let headers: HTTPHeaders = ["x-fal-request-id": "order-\(order.number)"]
        guard order.polls > polls else {
            return try connection.answer(
                400, #"{"detail":"Request is still in progress"}"#, headers: headers, fault: fault)
        }
        switch outcome {
        case .done(let output): try connection.answer(200, output.text, headers: headers, fault: fault)
        case .failed(_, let status, let body, let extra):
            try connection.answer(
                200, "", headers: headers, fault: fault ?? .status(status, headers: extra, body: body))
        case .never: try connection.answer(400, #"{"detail":"Request is still in progress"}"#, fault: fault)
        case .expired: try connection.answer(404, #"{"detail":"Request not found"}"#, headers: headers, fault: fault)
        }
    }
}

/// What endpoints take: more is an error here, as a misspelt field is ignored by the service.
enum FalRules {
    private static let fields: [String: (required: Set<String>, optional: Set<String>)] = [
        "fal-ai/flux/srpo": (
            ["prompt"],
            [
                "image_size", "num_images", "num_inference_steps", "guidance_scale", "seed", "output_format",
                "acceleration", "enable_safety_checker",
            ]
        ),
        "fal-ai/nano-banana": (
            ["prompt"],
            ["aspect_ratio", "num_images", "output_format", "safety_tolerance", "limit_generations", "seed"]
        ),
        "fal-ai/veo3.1/fast": (
            ["prompt"],
            ["aspect_ratio", "duration", "resolution", "generate_audio", "negative_prompt", "auto_fix", "seed"]
        ),
        "fal-ai/veo3.1/fast/image-to-video": (
            ["prompt", "image_url"], ["aspect_ratio", "duration", "resolution", "generate_audio", "auto_fix"]
        ),
        "fal-ai/wan-i2v": (
            ["prompt", "image_url"],
            ["aspect_ratio", "num_frames", "frames_per_second", "resolution", "negative_prompt", "seed"]
        ),
        "acme/own-model": (["prompt"], ["seed", "image_url"]),
    ]
    private static let values: [String: Set<String>] = [
        "image_size": [
            "square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9",
        ],
        "aspect_ratio": ["21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16", "auto"],
    ]

    /// The body of a 422; `nil` if the input will do.
    static func objection(to input: JSONTree, endpoint: String) -> JSONTree? {
        func detail(_ field: String, _ type: String, _ message: String) -> JSONTree {
            ["detail": [["loc": ["body", .string(field)], "msg": .string(message), "type": .string(type)]]]
        }
        let members = input.members ?? []
        guard let known = fields[endpoint] else { return nil }
        if let field = known.required.sorted().first(where: { input[$0] == nil }) {
            return detail(field, "missing", "Field required")
        }
        for member in members {
            guard known.required.contains(member.name) || known.optional.contains(member.name) else {
                return detail(member.name, "extra_forbidden", "Extra inputs are not permitted")
            }
            if let allowed = values[member.name], !allowed.contains(member.value.string ?? "") {
                return detail(member.name, "literal_error", "Input should be one of the names")
            }
        }
        return nil
    }
}
