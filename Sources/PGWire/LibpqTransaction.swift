import CPQ

extension LibpqConnection {
    /// Runs a closure between BEGIN and COMMIT, or ROLLBACK where it throws.
    ///
    /// The operation that can be cancelled has begun before, and ends here before the COMMIT or ROLLBACK.
    ///
    /// - Parameter prelude: Statements to run behind BEGIN, in the same round trip; empty for none.
    func transaction<Value>(
        prelude: String = "", _ body: (inout PostgresSession) throws -> Value
    ) throws -> Value {
        let value: Value
        let preludeResult: PostgresResult
        try refuseOpenTransaction()
        do {
            transactionError = nil
            preludeResult = try execute(prelude.isEmpty ? "BEGIN" : "BEGIN; \(prelude)")
        } catch {
            endOperation()
            // One of the statements behind BEGIN may have failed.
            rollback()
            throw error
        }
        do {
            var session = PostgresSession(self, preludeResult: preludeResult)
            value = try body(&session)
            // An error that the closure has swallowed: the server would answer COMMIT with a rollback.
            if transactionStatus == PQTRANS_INERROR {
                throw transactionError ?? PostgresError(.usage, "A statement of the transaction has failed")
            }
            if health.isBroken { throw transactionError ?? PostgresError(.connectionLost, "it broke on the way") }
            if endOperation() { throw PostgresError(.cancelled, "the transaction is rolled back") }
        } catch {
            endOperation()
            rollback()
            throw error
        }
        guard transactionStatus == PQTRANS_INTRANS else {
            throw PostgresError(.usage, "The closure has ended its transaction by a statement of its own")
        }
        do throws(PostgresError) {
            _ = try execute("COMMIT")
        } catch {
            throw failureOfCommit(error, isCertain: false)
        }
        return value
    }

    /// The error of a COMMIT that the server may have begun.
    ///
    /// - Parameter isCertain: Whether the error is known to have come before the COMMIT was carried out.
    private func failureOfCommit(_ error: PostgresError, isCertain: Bool) -> PostgresError {
        var error = error
        if error.sqlState != nil, !health.isBroken {
            error.isOfCommit = !isCertain
        } else {
            error.mayBeCommitted = !isCertain
        }
        return error
    }

    /// Runs a transaction of COPYs: one round trip up to the first COPY's rows, then one for each COPY. The last of these
    /// brings COMMIT's result too.
    ///
    /// BEGIN, the prelude, the COPYs and COMMIT are one query string. After each COPY the server runs the next statement
    /// without waiting for the client.
    /// If a statement fails, it skips the others, COMMIT included.
    ///
    /// - Parameter write: Called for each COPY when the server waits for its rows, with the COPY's index and the result of
    ///   the last statement of the prelude.
    /// - Returns: How many rows the server counts for each COPY.
    func transaction(
        prelude: String, copies: [CopyTarget], _ write: (Int, PostgresResult, inout CopyWriter) throws -> Void
    ) throws -> [Int] {
        try refuseOpenTransaction()
        var counts: [Int] = []
        var drained = Drained()
        // Once the end of the last COPY is sent, the server carries out the COMMIT by itself.
        var isLastSent = false
        do {
            transactionError = nil
            var statements = [prelude.isEmpty ? "BEGIN" : "BEGIN; \(prelude)"]
            for copy in copies { statements.append(try copyStatement(copy.table, copy.columns)) }
            statements.append("COMMIT")
            try send(statements.joined(separator: "; "))
            try drain(untilCopy: true, &drained)
            let preludeResult = drained.last
            for index in copies.indices {
                guard drained.awaitsRows else { throw Self.noCopy }
                health.statementBegins()
                let written = try sendRows { writer in try write(index, preludeResult, &writer) }.rows
                isLastSent = index == copies.count - 1
                try drain(untilCopy: true, &drained)
                counts.append(drained.first?.affectedRows ?? written)
            }
            if drained.awaitsRows {
                isLastSent = false
                // One that stands in the prelude.
                _ = try sendRows { _ in throw PostgresError(.usage, "The prelude has a COPY of its own") }
            }
        } catch {
            var error = error
            if isLastSent, let failure = error as? PostgresError {
                // The results come in order: without that of the COPY there was no COMMIT. Only a server that gives a
                // context has told an error of the COPY; a lost connection, or a pooler that has lost it, gives none.
                let isOfCopy = drained.first == nil && (!health.isBroken || failure.context?.isEmpty == false)
                error = failureOfCommit(failure, isCertain: isOfCopy)
            }
            endOperation()
            rollback()
            throw error
        }
        // A request to cancel that came too late: COMMIT was carried out.
        endOperation()
        return counts
    }

    /// - Throws: A usage error if a transaction is open. Its owner may continue it, so it is not rolled back.
    private func refuseOpenTransaction() throws(PostgresError) {
        guard transactionStatus != PQTRANS_IDLE, !health.isBroken, unsafe pointer != nil else { return }
        endOperation()
        throw PostgresError(.usage, "A transaction is open already on this connection")
    }

    /// Rolls back. Where even that fails, the connection can't be trusted any more.
    private func rollback() {
        guard !health.isBroken, transactionStatus != PQTRANS_IDLE else { return }
        do throws(PostgresError) {
            _ = try execute("ROLLBACK")
        } catch {
            health.markBroken()
        }
    }

    /// - Returns: Whether the operation was to be cancelled.
    @discardableResult
    private func endOperation() -> Bool { cancellation.end(isBroken: health.isBroken) }
}
