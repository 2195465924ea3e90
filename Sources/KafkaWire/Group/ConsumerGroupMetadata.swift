/// Which member of a group a consumer is at the moment: what a coordinator checks before it takes offsets.
///
/// A transaction that commits a group's offsets carries it, so that a member that was put out of the group meanwhile
/// can't commit over its successor (KIP-447).
public struct ConsumerGroupMetadata: Sendable, Hashable {
    /// `group.id`
    public let groupID: String
    /// The generation of a classic group, or the member epoch of a KIP-848 group; -1 for one who isn't a member.
    public let generationID: Int32
    /// Empty for one who isn't a member.
    public let memberID: String
    /// The name of a static member (KIP-345); nil for others.
    public let groupInstanceID: String?

    /// The group's name alone serves for who has assigned the partitions by hand: the coordinator checks nothing then.
    public init(
        groupID: String, generationID: Int32 = -1, memberID: String = "", groupInstanceID: String? = nil
    ) {
        self.groupID = groupID
        self.generationID = generationID
        self.memberID = memberID
        self.groupInstanceID = groupInstanceID
    }
}
