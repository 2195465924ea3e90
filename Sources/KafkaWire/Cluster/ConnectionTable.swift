/// The connections, open or being opened: at most one per key.
struct ConnectionTable {
    struct Key: Hashable {
        let address: BrokerAddress
        let role: ConnectionRole
        /// The only user of the connection; nil for a shared connection.
        var owner: ObjectIdentifier?
    }

    /// A connection attempt in progress, which several callers may wait for.
    struct Attempt {
        let number: Int
        let began: ContinuousClock.Instant
        let task: Task<NegotiatedConnection, any Error>
    }

    private struct Slot {
        var connection: NegotiatedConnection?
        var attempt: Attempt?
        /// The number of consecutive failed attempts.
        var failures = 0
        /// The last attempt's error.
        var lastError: KafkaError?
        /// The earliest time of the next attempt; nil if it may begin immediately.
        var notBefore: ContinuousClock.Instant?
    }

    private var slots: [Key: Slot] = [:]
    private var attempts = 0

    /// The open connection; nil if there is none that is usable.
    func usable(_ key: Key) -> NegotiatedConnection? {
        slots[key]?.connection.flatMap { $0.isUsable ? $0 : nil }
    }

    /// A usable connection of this role to any broker; nil if there is none.
    ///
    /// - Parameter avoided: Brokers to use only if there is no connection to another one.
    func anyUsable(
        _ role: ConnectionRole, preferringOthersThan avoided: Set<BrokerAddress> = []
    ) -> NegotiatedConnection? {
        var lastResort: NegotiatedConnection?
        for (key, slot) in slots where key.role == role {
            guard let connection = slot.connection, connection.isUsable else { continue }
            if !avoided.contains(key.address) { return connection }
            lastResort = connection
        }
        return lastResort
    }

    func attempt(_ key: Key) -> Task<NegotiatedConnection, any Error>? { slots[key]?.attempt?.task }

    /// The number of consecutive failed attempts, and the earliest time of the next one.
    func failures(_ key: Key) -> (count: Int, notBefore: ContinuousClock.Instant?) {
        (slots[key]?.failures ?? 0, slots[key]?.notBefore)
    }

    /// A description of the connection attempts in progress and their durations, for an error message; nil if there are
    /// none.
    ///
    /// - Parameter known: The preceding text of the message. Brokers that it names are omitted.
    func pending(_ now: ContinuousClock.Instant, besides known: String = "") -> String? {
        var texts: [BrokerAddress: String] = [:]
        for (key, slot) in slots {
            guard let attempt = slot.attempt, !known.contains(key.address.description) else { continue }
            let seconds = (now - attempt.began) / .seconds(1)
            let before = slot.lastError.map { ", before: \($0.message)" } ?? ""
            texts[key.address] = "no connection to \(key.address) after \((seconds * 10).rounded() / 10) s\(before)"
        }
        return texts.isEmpty ? nil : texts.values.briefly
    }

    /// The time when an attempt began; nil if it is no longer in progress.
    func began(_ key: Key, attempt number: Int) -> ContinuousClock.Instant? {
        slots[key]?.attempt.flatMap { $0.number == number ? $0.began : nil }
    }

    /// Starts an attempt and registers it.
    ///
    /// - Parameter start: Starts the attempt with this number.
    mutating func begin(
        _ key: Key, at now: ContinuousClock.Instant, _ start: (_ number: Int) -> Task<NegotiatedConnection, any Error>
    ) -> Task<NegotiatedConnection, any Error> {
        attempts += 1
        let task = start(attempts)
        slots[key, default: Slot()].attempt = Attempt(number: attempts, began: now, task: task)
        return task
    }

    /// Stores the connection of a successful attempt.
    ///
    /// - Returns: false if the attempt was cancelled; the caller must then close the connection.
    mutating func succeeded(_ key: Key, attempt number: Int, _ connection: NegotiatedConnection) -> Bool {
        guard slots[key]?.attempt?.number == number else { return false }
        slots[key] = Slot(connection: connection)
        return true
    }

    /// Counts a failed attempt.
    ///
    /// - Returns: false if the attempt was cancelled before.
    mutating func failed(
        _ key: Key, attempt number: Int, _ error: any Error, notBefore: ContinuousClock.Instant
    ) -> Bool {
        guard let slot = slots[key], slot.attempt?.number == number else { return false }
        slots[key] = Slot(
            failures: slot.failures + 1, lastError: error as? KafkaError ?? slot.lastError, notBefore: notBefore)
        return true
    }

    /// Removes a connection that has ended, which releases its file descriptors.
    mutating func ended(_ key: Key, _ connection: NegotiatedConnection) {
        guard let slot = slots[key], slot.connection === connection else { return }
        slots[key]?.connection = nil
        if slot.attempt == nil { slots[key] = nil }
    }

    /// Closes all connections of one owner, and cancels their attempts.
    mutating func close(ownedBy owner: ObjectIdentifier) {
        for (key, slot) in slots where key.owner == owner {
            slot.connection?.close()
            slot.attempt?.task.cancel()
            slots[key] = nil
        }
    }

    /// Closes all connections, cancels all attempts and resets the failure counts.
    mutating func closeAll() {
        for slot in slots.values {
            slot.connection?.close()
            slot.attempt?.task.cancel()
        }
        slots = [:]
    }
}
