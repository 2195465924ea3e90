import KafkaWire

// Groups as a test looks at them, and what happens to them beside requests.
extension FakeCluster {
    /// The settings of groups, for those that come.
    public func configureGroups(_ change: (inout GroupSettings) -> Void) {
        state.withLock { change(&$0.groups.settings) }
        state.notifyAll()
    }

    /// A member of a group.
    public struct GroupMember: Sendable, Equatable {
        public let id: String
        /// The name of a static member (KIP-345); nil for others.
        public let instanceID: String?
        /// Of a KIP-848 group: the member's own epoch; of a classic group the group's generation.
        public let epoch: Int32
        /// Of a KIP-848 group: what the member may read. Empty for a classic group, whose assignments are known to
        /// its members alone.
        public let partitions: [TopicPartition]
    }

    /// The members of a group in the order in which they came; nil where there is no such group.
    public func members(ofGroup name: String) -> [GroupMember]? {
        state.withLock { state in
            state.expire()
            switch state.groups.groups[name] {
            case nil: return nil
            case .classic(let group):
                return group.members.map {
                    GroupMember(id: $0.id, instanceID: $0.instanceID, epoch: group.generation, partitions: [])
                }
            case .consumer(let group):
                return group.members.map { member in
                    let partitions = member.assigned.compactMap { slot in
                        state.topic(id: slot.topicID).map {
                            TopicPartition(topic: $0.name, partition: slot.partition)
                        }
                    }
                    return GroupMember(
                        id: member.id, instanceID: member.instanceID, epoch: member.epoch,
                        partitions: partitions.sorted())
                }
            }
        }
    }

    /// The state of a group by Kafka's name, such as `Stable` or `PreparingRebalance`; nil where there is none.
    public func state(ofGroup name: String) -> String? {
        state.withLock { state in
            state.expire()
            return state.groups.groups[name]?.stateName
        }
    }

    /// Puts a member out of its group, as happens when its session times out.
    ///
    /// - Returns: False where the group has no such member.
    @discardableResult
    public func expire(member id: String, ofGroup name: String) -> Bool {
        let isKnown = state.withLock { state in
            let now = state.clock.now
            return state.groups.leave(name, id, instanceID: nil, at: now) == .none
        }
        state.notifyAll()
        return isKnown
    }

    /// Has the members of a classic group join again.
    ///
    /// - Returns: False where the group has no members.
    @discardableResult
    public func rebalance(group name: String) -> Bool {
        let isDone = state.withLock { state in
            let now = state.clock.now
            return state.groups.classic(name) { group in
                guard group.phase == .stable || group.phase == .completingRebalance else { return false }
                group.prepareRebalance(at: now)
                return true
            }
        }
        state.notifyAll()
        return isDone ?? false
    }
}
