/// How a member of a classic group divides the partitions when it leads the group (`partition.assignment.strategy`).
///
/// The names and what goes over the wire are those of Kafka's Java client, so members of other clients may be in the
/// group and any member may lead it.
public enum PartitionAssignor: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// Topic by topic: each member gets partitions that lie next to each other, the first members one more. Topics with
    /// as many partitions and the same readers are divided alike.
    case range
    /// All partitions of all topics, dealt out in turn.
    case roundRobin = "roundrobin"
    /// Evenly, and each member keeps what it has as far as that goes (KIP-54). All partitions are given up before a
    /// rebalance.
    case sticky
    /// As `sticky`, but only partitions that move are given up, and others are read on (KIP-429).
    case cooperativeSticky = "cooperative-sticky"

    public var description: String { rawValue }

    /// Whether a member goes on reading through a rebalance what it doesn't have to give up (KIP-429).
    public var isCooperative: Bool { self == .cooperativeSticky }

    /// The name of the Java client's class, which stands in properties files.
    var javaClass: String {
        let name =
            switch self {
            case .range: "Range"
            case .roundRobin: "RoundRobin"
            case .sticky: "Sticky"
            case .cooperativeSticky: "CooperativeSticky"
            }
        return "org.apache.kafka.clients.consumer.\(name)Assignor"
    }

    /// Divides the partitions.
    ///
    /// - Parameters:
    ///   - members: Everybody in the group.
    ///   - partitionCounts: How many partitions each topic has. Topics that don't exist are left out.
    /// - Returns: For each member its partitions in ascending order, empty for one that gets none.
    func assign(_ members: [GroupMember], partitionCounts: [String: Int32]) -> [String: [TopicPartition]] {
        let members = members.sorted { $0.precedes($1) }
        let counts = partitionCounts.filter { $0.value > 0 }
        switch self {
        case .range: return RangeAssignment.assign(members, counts)
        case .roundRobin: return RoundRobinAssignment.assign(members, counts)
        case .sticky:
            let claims = members.map(StickyUserData.claim)
            return StickyAssignment(members, counts, claims: claims).assigned
        case .cooperativeSticky:
            let claims = members.map(CooperativeUserData.claim)
            let assigned = StickyAssignment(members, counts, claims: claims).assigned
            return CooperativeUserData.withoutMoving(assigned, members)
        }
    }

    /// What the assignor wants to be told of a member by itself.
    ///
    /// - Parameters:
    ///   - previous: What the member was assigned last.
    ///   - generation: In which generation that was; -1 for none.
    func userData(previous: [TopicPartition], generation: Int32) throws(ProtocolError) -> ByteSlice? {
        switch self {
        case .range, .roundRobin: nil
        case .sticky: try StickyUserData(previous: previous, generation: generation).encoded()
        case .cooperativeSticky: try CooperativeUserData.encoded(generation: generation)
        }
    }
}

/// A member of a classic group, as the leader sees it.
struct GroupMember: Sendable, Equatable {
    let id: String
    /// The name of a static member (KIP-345).
    let instanceID: String?
    let subscription: ConsumerProtocolSubscription

    init(id: String, instanceID: String? = nil, subscription: ConsumerProtocolSubscription) {
        self.id = id
        self.instanceID = instanceID
        self.subscription = subscription
    }

    /// The Java client's order: static members first, by their names, then the others by their ids.
    func precedes(_ other: GroupMember) -> Bool {
        switch (instanceID, other.instanceID) {
        case (let mine?, let theirs?): mine.precedesInJava(theirs)
        case (.some, nil): true
        case (nil, .some): false
        case (nil, nil): id.precedesInJava(other.id)
        }
    }
}

extension String {
    /// Java compares UTF-16 units, Swift canonical forms.
    func precedesInJava(_ other: String) -> Bool { utf16.lexicographicallyPrecedes(other.utf16) }
}

extension [ConsumerProtocolTopicPartition] {
    /// Partitions by their topics, as they go over the wire.
    init(_ partitions: some Collection<TopicPartition>) {
        self = Dictionary(grouping: partitions, by: \.topic).sorted { $0.key < $1.key }.map { topic, partitions in
            ConsumerProtocolTopicPartition(topic: topic, partitions: partitions.map(\.partition).sorted())
        }
    }

    var topicPartitions: [TopicPartition] {
        flatMap { topic in topic.partitions.map { TopicPartition(topic: topic.topic, partition: $0) } }
    }
}
