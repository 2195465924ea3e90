/// The current leader of a partition, for a client that sent its request to another broker (KIP-951).
package struct LeaderIdAndEpoch: WireMessage {
    /// The leader's node id; -1 if unknown.
    package var leaderId: Int32
    /// The leader epoch; -1 if unknown.
    package var leaderEpoch: Int32

    package init(leaderId: Int32 = -1, leaderEpoch: Int32 = -1) {
        self.leaderId = leaderId
        self.leaderEpoch = leaderEpoch
    }

    package init(from reader: inout WireReader, version: Int16) {
        leaderId = reader.int32()
        leaderEpoch = reader.int32()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(leaderId)
        writer.int32(leaderEpoch)
        writer.tags()
    }
}

/// The address of a leader in `LeaderIdAndEpoch` (KIP-951).
package struct NodeEndpoint: WireMessage {
    package var nodeId: Int32
    package var host: String
    package var port: Int32
    /// The broker's rack; null if it has none.
    package var rack: String?

    package init(nodeId: Int32 = 0, host: String = "", port: Int32 = 0, rack: String? = nil) {
        self.nodeId = nodeId
        self.host = host
        self.port = port
        self.rack = rack
    }

    package init(from reader: inout WireReader, version: Int16) {
        nodeId = reader.int32()
        host = reader.string()
        port = reader.int32()
        rack = reader.nullableString()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(nodeId)
        writer.string(host)
        writer.int32(port)
        writer.nullableString(rack)
        writer.tags()
    }
}
