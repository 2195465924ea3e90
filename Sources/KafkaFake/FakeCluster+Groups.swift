import KafkaWire

// Inspects and changes groups without requests.
extension FakeCluster {
    /// Changes the settings of groups. Groups that exist use the new settings for later requests.
    public func configureGroups(_ change: (inout GroupSettings) -> Void) {
        state.withLock { change(&$0.groups.settings) }
        state.notifyAll()
    }

    /// A member of a group.
    public struct GroupMember: Sendable, Equatable {
        public let id: String
        /// The name of a static member (KIP-345); nil for others.
        public let instanceID: String?
        /// The member's own epoch in a KIP-848 group; the group's generation in a classic group.
        public let epoch: Int32
        /// The partitions that a member of a KIP-848 group may read. Empty in a classic group, whose brokers do not
        /// interpret assignments.
        public let partitions: [TopicPartition]
    }

    /// The members of a group in the order in which they joined; nil if the group does not exist.
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

    /// The state of a group by Kafka's name, such as `Stable` or `PreparingRebalance`; nil if the group does not exist.
    public func state(ofGroup name: String) -> String? {
        state.withLock { state in
            state.expire()
            return state.groups.groups[name]?.stateName
        }
    }

    /// Removes a member from its group, as a session timeout does.
    ///
    /// - Returns: False if the group has no such member.
    @discardableResult
    public func expire(member id: String, ofGroup name: String) -> Bool {
        let isKnown = state.withLock { state in
            let now = state.clock.now
            return state.groups.leave(name, id, instanceID: nil, at: now) == .none
        }
        state.notifyAll()
        return isKnown
    }

    /// Makes the members of a classic group join again.
    ///
    /// - Returns: False if the group has no members.
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
