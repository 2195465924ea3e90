/// A change of the partitions that a group member owns.
public struct RebalanceEvent: Sendable, Hashable {
    /// How the ownership has changed.
    ///
    /// Closed: the cases of ``Rebalance``.
    public enum Change: String, Sendable, Hashable {
        /// The member owns the partitions from now on.
        case assigned
        /// The member no longer owns the partitions. Before, it could commit their offsets.
        case revoked
        /// Other members may own the partitions already: the member timed out, or was fenced.
        case lost
    }

    /// The `client.id` of the client.
    public let clientID: String
    /// The group's id.
    public let groupID: String
    /// The generation of a classic group, or the member epoch of a KIP-848 group; -1 if the member has left.
    public let generationID: Int32
    /// The change, the same for all of `partitions`. A rebalance that both revokes and assigns partitions yields two events.
    public let change: Change
    /// The partitions that have changed, in ascending order; never empty.
    public let partitions: [TopicPartition]

    /// Creates an event, for example in a test.
    public init(
        clientID: String, groupID: String, generationID: Int32, change: Change, partitions: [TopicPartition]
    ) {
        self.clientID = clientID
        self.groupID = groupID
        self.generationID = generationID
        self.change = change
        self.partitions = partitions
    }
}
