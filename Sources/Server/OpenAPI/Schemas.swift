import JobQueue

/// The shapes that the API takes and gives, as JSON Schema. Those with a name are in the OpenAPI document's components.
enum Schemas {
    static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    static let uuid: JSONValue = ["type": "string", "format": "uuid"]
    static let time: JSONValue = ["type": "string", "format": "date-time"]
    static let text: JSONValue = ["type": "string"]
    static let name: JSONValue = ["type": "string", "minLength": 1, "maxLength": 200]
    static let key: JSONValue = ["type": "string", "minLength": 1, "maxLength": 1000]
    static let url: JSONValue = ["type": "string", "format": "uri", "maxLength": 8192]
    static let anything: JSONValue = [:]
    static let anyObject: JSONValue = ["type": "object"]
    static let state: JSONValue = [
        "type": "string", "enum": .array(JobState.allCases.map { .string($0.rawValue) }),
    ]
    static let duration: JSONValue = ["type": "number", "exclusiveMinimum": 0, "maximum": 31_536_000]

    /// An object of which nothing else than this may be said.
    static func object(
        _ properties: [String: JSONValue], required: [String] = [], description: String? = nil
    ) -> JSONValue {
        var schema: [String: JSONValue] = [
            "type": "object", "properties": .object(properties), "additionalProperties": false,
        ]
        if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
        if let description { schema["description"] = .string(description) }
        return .object(schema)
    }

    /// An object that may hold more than is said here: what a newer server tells.
    static func answer(_ properties: [String: JSONValue], required: [String] = []) -> JSONValue {
        .object([
            "type": "object", "properties": .object(properties), "required": .array(required.map { .string($0) }),
        ])
    }

    static func list(of items: JSONValue, as name: String) -> JSONValue {
        answer([name: ["type": "array", "items": items]], required: [name])
    }

    static func described(_ schema: JSONValue, _ description: String) -> JSONValue {
        guard case .object(var members) = schema else { return schema }
        members["description"] = .string(description)
        return .object(members)
    }

    // MARK: Jobs

    /// What may be said about a job beside its kind and payload.
    static let jobOptions: [String: JSONValue] = [
        "queue": described(name, "By default the kind's queue, else one of the kind's name."),
        "priority": described(
            ["type": "integer", "minimum": -2_147_483_648, "maximum": 2_147_483_647], "Higher runs first; default 0."),
        "runAt": described(time, "Not before this moment."),
        "maxAttempts": described(
            ["type": "integer", "minimum": 1, "maximum": 10_000], "1 is never tried again; default 3, or the kind's."),
        "timeoutSeconds": described(duration, "How long one attempt may take."),
        "unique": object(
            [
                "key": key, "scope": ["type": "string", "enum": ["waiting", "unfinished", "period"]],
                "periodSeconds": duration, "onDuplicate": ["type": "string", "enum": ["keep", "replace"]],
            ], required: ["key"], description: "No other job of the kind may have the key at the same time."),
        "concurrencyKey": described(key, "Jobs of one key take turns with those of others."),
        "dependsOn": described(
            ["type": "array", "items": uuid, "maxItems": 1000], "Jobs that must have finished before."),
        "onParentFailure": ["type": "string", "enum": ["cancel", "run", "fail_workflow"]],
        "workflow": described(uuid, "A workflow that the job joins."),
        "cores": described(["type": "number", "exclusiveMinimum": 0, "maximum": 100_000], "CPU cores that it takes."),
        "memory": described(
            ["type": "integer", "minimum": 0, "maximum": 1_152_921_504_606_846_976], "Bytes that it takes."),
        "metadata": described(anything, "Anything, for people and programs to find it by."),
    ]

    static let newJob: JSONValue = object(
        jobOptions.merging([
            "kind": described(name, "What it is: what its handler is registered under."),
            "payload": described(anything, "What its handler is given; checked against the kind's schema."),
        ]) { $1 }, required: ["kind"])

    static let newWorkflow: JSONValue = object(
        [
            "name": name,
            "metadata": anything,
            "jobs": [
                "type": "object", "minProperties": 1, "maxProperties": 10_000,
                "propertyNames": ["minLength": 1, "maxLength": 200],
                "additionalProperties": object(
                    jobOptions.filter { $0.key != "workflow" }.merging([
                        "kind": name, "payload": anything,
                        "after": [
                            "type": "array", "maxItems": 1000,
                            "items": [
                                "anyOf": [
                                    name,
                                    object(
                                        [
                                            "node": name,
                                            "onFailure": [
                                                "type": "string", "enum": ["cancel", "run", "fail_workflow"],
                                            ],
                                        ], required: ["node"]),
                                ]
                            ],
                        ],
                    ]) { $1 }, required: ["kind"]),
            ],
        ], required: ["name", "jobs"])

    static let enqueuedJob: JSONValue = answer(
        ["id": uuid, "kind": text, "url": text, "eventsUrl": text], required: ["id", "kind", "url", "eventsUrl"])

    static let job: JSONValue = answer(
        [
            "id": uuid, "kind": text, "queue": text, "state": state, "priority": ["type": "integer"], "runAt": time,
            "attempt": ["type": "integer"], "maxAttempts": ["type": "integer"], "timeoutSeconds": ["type": "number"],
            "cores": ["type": "number"], "memory": ["type": "integer"], "concurrencyKey": text, "uniqueKey": text,
            "workflow": uuid, "node": text, "parents": ["type": "array", "items": uuid], "worker": uuid,
            "claimedAt": time, "startedAt": time, "finishedAt": time, "seconds": ["type": "number"],
            "crashes": ["type": "integer"], "cancelRequestedAt": time, "cancelReason": text, "createdAt": time,
            "createdBy": text, "changedAt": time, "changedBy": text, "reason": text,
            "errors": ["type": "array", "items": anyObject], "progress": anyObject,
            "steps": ["type": "array", "items": anyObject], "payload": anything, "result": anything,
            "metadata": anything,
        ], required: ["id", "kind", "queue", "state", "createdAt"])

    static let glance: JSONValue = answer(
        [
            "id": uuid, "kind": text, "queue": text, "state": state, "attempt": ["type": "integer"],
            "maxAttempts": ["type": "integer"], "fraction": ["type": "number", "minimum": 0, "maximum": 1],
            "phase": text, "message": text, "reason": text, "error": text, "createdAt": time, "finishedAt": time,
        ], required: ["id", "kind", "state"])

    static let problem: JSONValue = answer(
        [
            "type": text, "title": text, "status": ["type": "integer"], "detail": text, "code": text, "hint": text,
            "requestId": text,
            "errors": [
                "type": "array",
                "items": answer(["pointer": text, "parameter": text, "detail": text], required: ["detail"]),
            ],
        ], required: ["type", "title", "status", "detail", "code", "requestId"])

    // MARK: Queues and schedules

    static let queueLimits: JSONValue = object([
        "concurrency": described(["type": "integer", "minimum": 1, "maximum": 1_000_000], "In all workers together."),
        "workerConcurrency": described(["type": "integer", "minimum": 1, "maximum": 1_000_000], "In each worker."),
        "keyConcurrency": described(
            ["type": "integer", "minimum": 1, "maximum": 1_000_000], "Of each concurrency key."),
        "rate": object(
            ["limit": ["type": "integer", "minimum": 1, "maximum": 1_000_000], "seconds": duration],
            required: ["limit", "seconds"], description: "Starts in any stretch of time."),
    ])

    static let queue: JSONValue = answer(
        [
            "queue": text, "paused": ["type": "boolean"], "ready": ["type": "integer"], "running": ["type": "integer"],
            "scheduled": ["type": "integer"], "failed": ["type": "integer"], "blocked": ["type": "integer"],
            "succeeded": ["type": "integer"], "cancelled": ["type": "integer"], "dead": ["type": "integer"],
        ], required: ["queue", "paused"])

    static let newSchedule: JSONValue = object(
        [
            "cron": described(
                ["type": "string", "minLength": 1, "maxLength": 200],
                "Five fields, six with seconds first, or @daily and the like."),
            "timezone": described(
                ["type": "string", "minLength": 1, "maxLength": 100], "Such as Europe/Berlin; default UTC."),
            "kind": name, "payload": anything,
            "options": object(
                jobOptions.filter { !["runAt", "dependsOn", "onParentFailure", "workflow"].contains($0.key) }),
            "missed": ["type": "string", "enum": .array(MissedTicks.allCases.map { .string($0.rawValue) })],
            "paused": ["type": "boolean"],
        ], required: ["cron", "kind"])

    static let schedule: JSONValue = answer(
        [
            "name": text, "cron": text, "timezone": text, "kind": text, "payload": anything, "options": anything,
            "missed": text, "paused": ["type": "boolean"], "lastTick": time, "nextTick": time,
        ], required: ["name", "cron", "timezone", "kind"])

    static let reason: JSONValue = object(["reason": ["type": "string", "maxLength": 1000]])

    /// By the names that they are referred to by.
    static let components: [String: JSONValue] = [
        "NewJob": newJob, "NewWorkflow": newWorkflow, "EnqueuedJob": enqueuedJob, "Job": job, "Glance": glance,
        "Problem": problem, "QueueLimits": queueLimits, "Queue": queue, "NewSchedule": newSchedule,
        "Schedule": schedule, "Reason": reason,
    ]
}
