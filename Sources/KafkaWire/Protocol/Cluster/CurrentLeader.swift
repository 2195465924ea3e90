/// The leader that the broker knows of, for a client that asked somebody else (KIP-951).
package struct LeaderIdAndEpoch: WireMessage {
    /// Node id, or -1 if the leader is unknown.
    package var leaderId: Int32
    /// -1 if unknown.
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

/// Where a leader is reached that a response names in `LeaderIdAndEpoch` (KIP-951).
package struct NodeEndpoint: WireMessage {
    package var nodeId: Int32
    package var host: String
    package var port: Int32
    /// Null for a broker without a rack.
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
