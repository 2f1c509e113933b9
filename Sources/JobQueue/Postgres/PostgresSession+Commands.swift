import CPostgres

/// Sending commands and reading their results.
extension PostgresSession {
    /// Runs one statement.
    func run(_ statement: PostgresStatement) throws(QueueError) -> PostgresRows {
        if let name = usableName(of: statement), prepared[name] == nil {
            try prepare(name, statement)
        }
        do throws(QueueError) {
            return try send(statement)
        } catch  where isLostPreparation(error) {
            // The failed statement did nothing, so that it may run again, unless it has spoilt a transaction.
            guard PQtransactionStatus(try open()) == PQTRANS_IDLE else { throw error }
            return try send(statement)
        }
    }

    /// Runs the statements in one round trip, and in one transaction where none is open.
    func pipeline(_ statements: [PostgresStatement]) throws(QueueError) -> [PostgresRows] {
        guard !statements.isEmpty else { return [] }
        do throws(QueueError) {
            return try sendPipeline(statements)
        } catch  where isLostPreparation(error) {
            guard PQtransactionStatus(try open()) == PQTRANS_IDLE else { throw error }
            return try sendPipeline(statements)
        }
    }

    /// Runs SQL of any number of commands, without parameters.
    func script(_ sql: String) throws(QueueError) {
        let connection = try start(nil)
        guard PQsendQuery(connection, sql) == 1 else { throw lost() }
        for result in try receive(pipelined: false, name: nil).joined() { try check(result, name: nil) }
    }

    // MARK: One statement

    private func send(_ statement: PostgresStatement) throws(QueueError) -> PostgresRows {
        let connection = try start(statement.name)
        guard try sendOnly(statement, on: connection) else { throw lost() }
        let results = try receive(pipelined: false, name: statement.name).joined()
        for result in results { try check(result, name: statement.name) }
        guard let last = results.last else { throw lost() }
        return PostgresRows(result: last)
    }

    private func prepare(_ name: String, _ statement: PostgresStatement) throws(QueueError) {
        let connection = try start(name)
        let types = statement.parameters.entries.map(\.type)
        guard PQsendPrepare(connection, name, statement.sql, Int32(types.count), types) == 1 else { throw lost() }
        do throws(QueueError) {
            for result in try receive(pipelined: false, name: name).joined() { try check(result, name: name) }
            prepared[name] = statement.sql
        } catch  where error.sqlState == "42P05" {
            // Somebody else's session has a statement of this name: this one is not ours alone.
            suspectPooler()
        }
    }

    /// The name to run the statement under, where statements are prepared.
    private func usableName(of statement: PostgresStatement) -> String? {
        guard prepares, let name = statement.name else { return nil }
        // One name, two texts is a mistake; the text decides.
        if let known = prepared[name], known != statement.sql { return nil }
        return name
    }

    private func sendOnly(_ statement: PostgresStatement, on connection: OpaquePointer) throws(QueueError) -> Bool {
        let parameters = statement.parameters
        if let failure = parameters.failure {
            var failure = failure
            failure.statement = statement.name
            throw failure
        }
        let count = Int32(parameters.entries.count)
        let types = parameters.entries.map(\.type)
        let lengths = parameters.entries.map { Int32($0.count) }
        let formats: [Int32] = parameters.entries.map { $0.isBinary ? 1 : 0 }
        let name = usableName(of: statement).flatMap { prepared[$0] == nil ? nil : $0 }
        // With a byte at its end, so that the buffer has an address even when all values are NULL.
        return (parameters.buffer + [0]).withUnsafeBufferPointer { buffer in
            let values = parameters.entries.map { entry -> UnsafePointer<CChar>? in
                guard !entry.isNull, let base = buffer.baseAddress else { return nil }
                return UnsafeRawPointer(base + entry.offset).assumingMemoryBound(to: CChar.self)
            }
            if let name {
                return PQsendQueryPrepared(connection, name, count, values, lengths, formats, 1) == 1
            }
            return PQsendQueryParams(connection, statement.sql, count, types, values, lengths, formats, 1) == 1
        }
    }

    // MARK: Several

    private func sendPipeline(_ statements: [PostgresStatement]) throws(QueueError) -> [PostgresRows] {
        // Before anything is sent, which could not be taken back without closing the connection.
        for statement in statements {
            guard var failure = statement.parameters.failure else { continue }
            failure.statement = statement.name
            throw failure
        }
        for statement in statements {
            if let name = usableName(of: statement), prepared[name] == nil { try prepare(name, statement) }
        }
        let connection = try start(statements[0].name)
        guard PQenterPipelineMode(connection) == 1 else { throw lost() }
        do throws(QueueError) {
            for statement in statements {
                guard try sendOnly(statement, on: connection) else { throw lost() }
            }
        } catch {
            // Without its end, the server undoes what it was sent so far.
            throw inbox.failure == nil ? abandonPipeline(connection, error) : error
        }
        guard PQpipelineSync(connection) == 1 else { throw lost() }
        let groups = try receive(pipelined: true, name: statements[0].name)
        if self.connection != nil { PQexitPipelineMode(connection) }
        var rows: [PostgresRows] = []
        for (statement, group) in zip(statements, groups) {
            for result in group { try check(result, name: statement.name) }
            if let last = group.last { rows.append(PostgresRows(result: last)) }
        }
        guard rows.count == statements.count else { throw lost() }
        return rows
    }

    /// Leaves pipeline mode after a statement that could not be sent: closes the connection, unless nothing was.
    private func abandonPipeline(_ connection: OpaquePointer, _ error: QueueError) -> QueueError {
        if PQexitPipelineMode(connection) == 1 { return error }
        breakOff(QueueError(.connectionLost, "a pipeline was abandoned", cause: error))
        return error
    }

    // MARK: Results

    private func start(_ name: String?) throws(QueueError) -> OpaquePointer {
        let connection = try open()
        if let interruption = control.interruption { throw interruption.error(statement: name) }
        return connection
    }

    /// Reads to the end of the command, or of the pipeline: the results of each statement.
    ///
    /// At an interruption the server is asked to give up; if it doesn't within the grace time, the connection is
    /// closed. A command that was finished by then counts as done.
    private func receive(pipelined: Bool, name: String?) throws(QueueError) -> [[PostgresResult]] {
        var groups: [[PostgresResult]] = []
        let stopped = try read(into: &groups, pipelined: pipelined, until: control.deadline, isInterruptible: true)
        takeNotifications()
        guard let stopped else { return groups }
        try giveUp(stopped, &groups, pipelined: pipelined, name: name)
        if groups.joined().contains(where: { $0.field("C") == "57014" }) {
            if pipelined, let connection { PQexitPipelineMode(connection) }
            throw stopped.error(statement: name)
        }
        return groups
    }

    private func giveUp(
        _ reason: Interruption, _ groups: inout [[PostgresResult]], pipelined: Bool, name: String?
    ) throws(QueueError) {
        let limit = ContinuousClock.now + settings.cancelGrace
        guard let request = CancelRequest(connection: try open()) else { throw lost() }
        request.send(raising: wake)
        let unanswered = try read(into: &groups, pipelined: pipelined, until: limit, isInterruptible: false)
        // The request may arrive after the command has ended, and must not hit the next one.
        while unanswered == nil, !request.isDone, ContinuousClock.now < limit {
            _ = wake.wait(socket: nil, until: limit)
        }
        guard unanswered == nil, request.isDone else {
            var error = reason.error(statement: name)
            error.detail = "the server did not give it up within \(settings.cancelGrace): the connection was closed"
            breakOff(
                QueueError(.connectionLost, "the connection was closed after a cancelled statement", cause: error))
            throw error
        }
    }

    /// - Returns: why reading stopped before the end, if it did.
    private func read(
        into groups: inout [[PostgresResult]], pipelined: Bool, until limit: ContinuousClock.Instant?,
        isInterruptible: Bool
    ) throws(QueueError) -> Interruption? {
        let connection = try open()
        if groups.isEmpty { groups.append([]) }
        while true {
            if let interruption = try waitForResult(connection, until: limit, isInterruptible: isInterruptible) {
                return interruption
            }
            guard let pointer = PQgetResult(connection) else {
                guard pipelined else { return nil }
                if PQstatus(connection) == CONNECTION_BAD { throw lost() }
                groups.append([])
                continue
            }
            let result = PostgresResult(takingOwnershipOf: pointer)
            switch result.status {
            case PGRES_PIPELINE_SYNC:
                return nil
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                throw breakOff(QueueError(.badRequest, "COPY is not possible through this connection"))
            default:
                groups[groups.count - 1].append(result)
                // It hangs up after these, which the next read finds out.
                if ["FATAL", "PANIC"].contains(result.field("V")) { lastWords = parting(result) }
            }
        }
    }

    private func waitForResult(
        _ connection: OpaquePointer, until limit: ContinuousClock.Instant?, isInterruptible: Bool
    ) throws(QueueError) -> Interruption? {
        while true {
            let unsent = PQflush(connection)
            if unsent < 0 { throw lost() }
            if unsent == 0, PQisBusy(connection) == 0 { return nil }
            let seen = wake.wait(socket: PQsocket(connection), forWriting: unsent > 0, until: limit)
            if seen.readable, PQconsumeInput(connection) == 0 {
                // What the server said before it hung up is a result still to be read.
                if lastWords == nil, PQisBusy(connection) == 0 { return nil }
                throw lost()
            }
            if isInterruptible {
                if let interruption = control.interruption, PQisBusy(connection) == 1 { return interruption }
            } else if let limit, ContinuousClock.now >= limit {
                return .deadline(settings.cancelGrace)
            }
        }
    }

    private func parting(_ result: PostgresResult) -> QueueError {
        QueueError(
            .connectionLost, "the server closed the connection: \(settings.redacting(result.field("M") ?? ""))",
            detail: result.field("D").map(settings.redacting), hint: result.field("H"), sqlState: result.field("C"))
    }

    /// - Throws: the server's error, if the result is one.
    private func check(_ result: PostgresResult, name: String?) throws(QueueError) {
        switch result.status {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE:
            return
        case PGRES_PIPELINE_ABORTED:
            throw QueueError(.server, "the statement before it failed", statement: name)
        default:
            if lastWords != nil { throw lost() }
            guard let connection, PQstatus(connection) != CONNECTION_BAD else { throw lost() }
            throw error(of: result, name: name)
        }
    }

    private func error(of result: PostgresResult, name: String?) -> QueueError {
        let state = result.field("C") ?? ""
        let message = result.field("M") ?? String(cString: PQresultErrorMessage(result.pointer))
        let isTimeout = state == "57014" && message.contains("timeout")
        return QueueError(
            isTimeout ? .deadline : state.isEmpty ? .server : QueueError.code(sqlState: state),
            settings.redacting(message),
            detail: result.field("D").map(settings.redacting), hint: result.field("H"),
            sqlState: state.isEmpty ? nil : state, constraint: result.field("n"), statement: name,
            position: result.field("P").flatMap { Int($0) })
    }

    // MARK: Preparations that vanish

    /// Whether a statement failed for want of its preparation, which is then not relied on again.
    private func isLostPreparation(_ error: QueueError) -> Bool {
        switch error.sqlState {
        case "26000" where !prepared.isEmpty:
            suspectPooler()
            return true
        case "0A000" where error.message.contains("cached plan"):
            // A table has changed since; the next run prepares anew.
            prepared.removeAll()
            if let connection, PQtransactionStatus(connection) == PQTRANS_IDLE {
                do { try script("DEALLOCATE ALL") } catch { prepares = false }
            }
            return true
        default:
            return false
        }
    }

    private func suspectPooler() {
        prepares = false
        prepared.removeAll()
        inbox.isPoolerSuspected = true
        PoolerDetection.warn(logger, "a prepared statement vanished or was somebody else's")
    }
}
