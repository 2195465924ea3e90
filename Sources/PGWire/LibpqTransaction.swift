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
        if transactionStatus != PQTRANS_IDLE, !health.isBroken, unsafe pointer != nil {
            endOperation()
            // Its owner may continue it, so it is not rolled back.
            throw PostgresError(.usage, "A transaction is open already on this connection")
        }
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
        _ = try execute("COMMIT")
        return value
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
