import CPQ

extension LibpqConnection {
    /// Runs a closure between BEGIN and COMMIT. If it throws, runs ROLLBACK instead.
    ///
    /// The cancellable operation has begun before this call, and ends here before COMMIT or ROLLBACK.
    ///
    /// - Parameter prelude: Statements to run right after BEGIN in the same round trip; empty for none.
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
            // A statement after BEGIN may have failed.
            rollback()
            throw error
        }
        do {
            var session = PostgresSession(self, preludeResult: preludeResult)
            value = try body(&session)
            // The closure ignored an error: the server would answer COMMIT with a rollback.
            if transactionStatus == PQTRANS_INERROR {
                throw transactionError ?? PostgresError(.usage, "A statement of the transaction failed")
            }
            if health.isBroken { throw transactionError ?? PostgresError(.connectionLost, "it broke before COMMIT") }
            if endOperation() { throw PostgresError(.cancelled, "the transaction was rolled back") }
        } catch {
            endOperation()
            rollback()
            throw error
        }
        guard transactionStatus == PQTRANS_INTRANS else {
            throw PostgresError(.usage, "The closure ended its transaction with a statement of its own")
        }
        do throws(PostgresError) {
            _ = try execute("COMMIT")
        } catch {
            throw failureOfCommit(error, isCertain: false)
        }
        return value
    }

    /// The error of a COMMIT that the server may have executed.
    ///
    /// - Parameter isCertain: Whether the error certainly came before COMMIT was executed.
    private func failureOfCommit(_ error: PostgresError, isCertain: Bool) -> PostgresError {
        var error = error
        if error.sqlState != nil, !health.isBroken {
            error.isOfCommit = !isCertain
        } else {
            error.mayBeCommitted = !isCertain
        }
        return error
    }

    /// Runs a transaction of COPYs: one round trip up to the first COPY's rows, then one per COPY. The last of these
    /// also returns COMMIT's result.
    ///
    /// BEGIN, the prelude, the COPYs and COMMIT are one query string. After each COPY the server runs the next
    /// statement without waiting for the client. If a statement fails, it skips all others, including COMMIT.
    ///
    /// - Parameter write: Called for each COPY when the server waits for its rows, with the COPY's index and the
    ///   result of the prelude's last statement.
    /// - Returns: The server's row count per COPY.
    func transaction(
        prelude: String, copies: [CopyTarget], _ write: (Int, PostgresResult, inout CopyWriter) throws -> Void
    ) throws -> [Int] {
        try refuseOpenTransaction()
        var counts: [Int] = []
        var drained = Drained()
        // Once the end of the last COPY is sent, the server executes COMMIT on its own.
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
                health.beginStatement()
                let written = try sendRows { writer in try write(index, preludeResult, &writer) }.rows
                isLastSent = index == copies.count - 1
                try drain(untilCopy: true, &drained)
                counts.append(drained.first?.affectedRows ?? written)
            }
            if drained.awaitsRows {
                isLastSent = false
                // A COPY in the prelude.
                _ = try sendRows { _ in throw PostgresError(.usage, "The prelude has a COPY of its own") }
            }
        } catch {
            var error = error
            if isLastSent, let failure = error as? PostgresError {
                // Results arrive in order, so without the COPY's result there was no COMMIT. Only a server's error
                // with a context is an error of the COPY; a lost connection, or a pooler that lost its own, gives
                // none.
                let isOfCopy = drained.first == nil && (!health.isBroken || failure.context?.isEmpty == false)
                error = failureOfCommit(failure, isCertain: isOfCopy)
            }
            endOperation()
            rollback()
            throw error
        }
        // A cancel request came too late: COMMIT was executed.
        endOperation()
        return counts
    }

    /// - Throws: A usage error if a transaction is open. It isn't rolled back, since its owner may continue it.
    private func refuseOpenTransaction() throws(PostgresError) {
        guard transactionStatus != PQTRANS_IDLE, !health.isBroken, unsafe pointer != nil else { return }
        endOperation()
        throw PostgresError(.usage, "A transaction is open already on this connection")
    }

    /// Rolls back. If even that fails, the connection can't be trusted any more.
    private func rollback() {
        guard !health.isBroken, transactionStatus != PQTRANS_IDLE else { return }
        do throws(PostgresError) {
            _ = try execute("ROLLBACK")
        } catch {
            health.markBroken()
        }
    }

    /// - Returns: Whether cancellation was requested.
    @discardableResult
    private func endOperation() -> Bool { cancellation.end(isBroken: health.isBroken) }
}
