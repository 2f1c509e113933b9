import Foundation
import PostgresTestSupport
import Testing

@testable import JobQueue

private func makePool(_ options: PostgresPool.Options) async throws -> PostgresPool {
    PostgresPool(
        try PostgresSettings(try await PostgresCluster.shared.makeDatabase().url), options: options, logger: quiet)
}

@Test func `sixty-four tasks share four connections`() async throws {
    let pool = try await makePool(.init(size: 4, acquireTimeout: .seconds(60)))
    let processes = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<64 {
            group.addTask {
                try await pool.withConnection { connection in
                    try await connection.value("SELECT pg_backend_pid() FROM pg_sleep(0.001)", as: Int.self)
                }
            }
        }
        return try await group.reduce(into: [Int]()) { $0.append($1) }
    }
    #expect(processes.count == 64)
    #expect(Set(processes).count <= 4)
    await pool.close()
    #expect(await queueError { try await pool.withConnection { _ in } }?.code == .closed)
}

@Test func `an exhausted pool says how large it is`() async throws {
    let pool = try await makePool(.init(size: 2, acquireTimeout: .milliseconds(50)))
    try await pool.withConnection { _ in
        try await pool.withConnection { _ in
            let error = await queueError { try await pool.withConnection { _ in } }
            #expect(error?.code == .poolExhausted)
            #expect(error?.message.contains("all 2 connections") == true)
        }
    }
    try await pool.withConnection { _ = try await $0.query("SELECT 1") }
    await pool.close()
}

@Test func `the pool replaces a connection whose backend was terminated`() async throws {
    let pool = try await makePool(.init(size: 1))
    let error = await queueError {
        try await pool.withConnection { _ = try await $0.query("SELECT pg_terminate_backend(pg_backend_pid())") }
    }
    #expect(error?.code == .connectionLost)
    #expect(error?.sqlState == "57P01")
    #expect(error?.isTransient == true)
    #expect(try await pool.withConnection { try await $0.value("SELECT 2", as: Int.self) } == 2)
    await pool.close()
}

@Test func `a connection left in a transaction is not lent again`() async throws {
    let pool = try await makePool(.init(size: 1))
    try await pool.withConnection { try await $0.script("BEGIN") }
    let state = try await pool.withConnection {
        try await $0.value(
            "SELECT now() = statement_timestamp() OR pg_current_xact_id_if_assigned() IS NULL", as: Bool.self)
    }
    #expect(state)
    let error = await queueError { try await pool.withConnection { try await $0.script("SAVEPOINT s") } }
    #expect(error?.sqlState == "25P01")
    await pool.close()
}

@Test func `calls come through a restart of the server, and the listener says it was away`() async throws {
    let cluster = try await PostgresCluster.start()
    let settings = try PostgresSettings(cluster.url(database: "postgres"))
    let pool = PostgresPool(settings, options: .init(size: 2, acquireTimeout: .seconds(60)), logger: quiet)
    try await pool.withConnection { _ = try await $0.query("SELECT 1") }

    let listener = PostgresListener(settings, channels: ["odd \"name"], logger: quiet)
    var seen: [String] = []
    for await event in listener.events() {
        switch event {
        case .connected where seen.isEmpty:
            seen.append("connected")
            try await pool.withConnection { _ = try await $0.query("SELECT pg_notify('odd \"name', 'first')") }
        case .connected:
            seen.append("connected")
            let told = try await pool.retrying {
                try await pool.withConnection { try await $0.query("SELECT pg_notify('odd \"name', 'second')").count }
            }
            #expect(told == 1)
        case .notification(let note):
            seen.append(note.payload)
            if note.payload == "first" { try await cluster.restart() }
        case .disconnected(let error):
            seen.append("disconnected")
            #expect(error.isTransient)
        }
        if seen.last == "second" { break }
    }
    #expect(seen == ["connected", "first", "disconnected", "connected", "second"])
    await pool.close()
    await cluster.remove()
}

@Test func `the listener notices a peer that went silent`() async throws {
    let cluster = try await PostgresCluster.shared
    let database = try await cluster.makeDatabase()
    let proxy = try BlackholeProxy(to: cluster.port)
    var settings = try PostgresSettings(database.tcpURL(port: proxy.port))
    settings.cancelGrace = .milliseconds(100)
    let listener = PostgresListener(
        settings, channels: ["c"], keepalive: .milliseconds(50), keepaliveTimeout: .milliseconds(200), logger: quiet)
    var connections = 0
    var gaps = 0
    for await event in listener.events() {
        switch event {
        case .connected:
            connections += 1
            if connections == 1 { proxy.mode = .blackhole }
        case .disconnected:
            gaps += 1
            proxy.mode = .pass
        case .notification: break
        }
        if connections == 2 { break }
    }
    #expect(gaps == 1)
    proxy.close()
}

@Test func `a wait doubles up to its limit`() {
    var backoff = ReconnectBackoff(base: .milliseconds(100), limit: .seconds(1))
    var ceilings: [Duration] = []
    for _ in 0..<6 {
        ceilings.append(backoff.ceiling)
        let wait = backoff.next()
        #expect(wait >= .zero && wait <= ceilings.last ?? .zero)
    }
    #expect(ceilings == [100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
}
