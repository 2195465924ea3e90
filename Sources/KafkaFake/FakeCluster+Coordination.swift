import KafkaWire

/// Something that one broker coordinates: a group, or the transactions of one transactional id.
public enum FakeCoordinated: Hashable, Sendable {
    case group(String)
    case transaction(String)

    var key: String {
        switch self {
        case .group(let name), .transaction(let name): name
        }
    }
}

// Inspects and changes the coordination of groups and transactions without requests.
extension FakeCluster {
    /// Advances the brokers' clock and handles every timeout that is due.
    public func advance(by duration: Duration) {
        state.withLock { state in
            state.clock.advance(by: duration)
            state.expire()
        }
        state.notifyAll()
    }

    /// The node id of the broker that coordinates a group or a transactional id; nil if no broker runs.
    public func coordinator(of coordinated: FakeCoordinated) -> Int32? {
        state.withLock { $0.coordinator(of: coordinated)?.id }
    }

    /// Makes another broker coordinate a group or a transactional id while that broker runs.
    public func setCoordinator(_ broker: Int32, of coordinated: FakeCoordinated) {
        state.withLock { $0.coordinators[coordinated] = broker }
        state.notifyAll()
    }

    /// Aborts the open transaction of a transactional id and fences its producer, as its timeout does.
    ///
    /// - Returns: False if no transaction is open.
    @discardableResult
    public func expireTransaction(of transactionalID: String) -> Bool {
        let isOpen = state.withLock { state in
            guard state.transactionalProducers[transactionalID]?.phase == .ongoing,
                let decision = state.transactionalProducers[transactionalID]?.timeOut()
            else { return false }
            state.carryOut(decision)
            return true
        }
        state.notifyAll()
        return isOpen
    }
}
