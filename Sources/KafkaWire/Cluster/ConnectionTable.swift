/// Which connections there are, or are being opened: at most one for each broker and role.
struct ConnectionTable {
    struct Key: Hashable {
        let address: BrokerAddress
        let role: ConnectionRole
        /// Whose it is alone; nil for one that is shared.
        var owner: ObjectIdentifier?
    }

    /// An attempt to connect that is under way; several may wait for it.
    struct Attempt {
        let number: Int
        let began: ContinuousClock.Instant
        let task: Task<NegotiatedConnection, any Error>
    }

    private struct Slot {
        var connection: NegotiatedConnection?
        var attempt: Attempt?
        /// How many attempts in a row have failed.
        var failures = 0
        /// Why the last of them failed.
        var lastError: KafkaError?
        /// No further attempt is made before.
        var notBefore: ContinuousClock.Instant?
    }

    private var slots: [Key: Slot] = [:]
    private var attempts = 0

    /// The connection, where there is one that can be used.
    func usable(_ key: Key) -> NegotiatedConnection? {
        slots[key]?.connection.flatMap { $0.isUsable ? $0 : nil }
    }

    /// A connection of this role to any broker.
    ///
    /// - Parameter avoided: Brokers that are used only if there is a connection to no other one.
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

    /// How many attempts in a row have failed, and when the next one may begin.
    func failures(_ key: Key) -> (count: Int, notBefore: ContinuousClock.Instant?) {
        (slots[key]?.failures ?? 0, slots[key]?.notBefore)
    }

    /// The connection attempts in progress, with the time that each has taken, as a text for a message; nil if there are
    /// none.
    ///
    /// - Parameter known: A text that precedes this one in the message. Brokers that it names are left out.
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

    /// Whether an attempt is still in progress, and since when.
    func began(_ key: Key, attempt number: Int) -> ContinuousClock.Instant? {
        slots[key]?.attempt.flatMap { $0.number == number ? $0.began : nil }
    }

    /// Notes an attempt, which is made by `start` from the number that it has.
    mutating func begin(
        _ key: Key, at now: ContinuousClock.Instant, _ start: (_ number: Int) -> Task<NegotiatedConnection, any Error>
    ) -> Task<NegotiatedConnection, any Error> {
        attempts += 1
        let task = start(attempts)
        slots[key, default: Slot()].attempt = Attempt(number: attempts, began: now, task: task)
        return task
    }

    /// Notes that an attempt went well. False where nobody wants its connection any more.
    mutating func succeeded(_ key: Key, attempt number: Int, _ connection: NegotiatedConnection) -> Bool {
        guard slots[key]?.attempt?.number == number else { return false }
        slots[key] = Slot(connection: connection)
        return true
    }

    /// Notes that an attempt failed. False where it was given up before.
    mutating func failed(
        _ key: Key, attempt number: Int, _ error: any Error, notBefore: ContinuousClock.Instant
    ) -> Bool {
        guard let slot = slots[key], slot.attempt?.number == number else { return false }
        slots[key] = Slot(
            failures: slot.failures + 1, lastError: error as? KafkaError ?? slot.lastError, notBefore: notBefore)
        return true
    }

    /// Lets go of a connection that has ended, and so of its descriptors.
    mutating func ended(_ key: Key, _ connection: NegotiatedConnection) {
        guard let slot = slots[key], slot.connection === connection else { return }
        slots[key]?.connection = nil
        if slot.attempt == nil { slots[key] = nil }
    }

    /// Ends the connections of one owner, who needs them no more.
    mutating func close(ownedBy owner: ObjectIdentifier) {
        for (key, slot) in slots where key.owner == owner {
            slot.connection?.close()
            slot.attempt?.task.cancel()
            slots[key] = nil
        }
    }

    /// Ends all connections, gives up all attempts, and forgets all failures.
    mutating func closeAll() {
        for slot in slots.values {
            slot.connection?.close()
            slot.attempt?.task.cancel()
        }
        slots = [:]
    }
}
