/// Requests the cluster's id, controller and brokers (KIP-700).
package struct DescribeClusterRequest: KafkaRequest {
    package typealias Response = DescribeClusterResponse
    package static let apiKey = APIKey.describeCluster
    package static let versions: ClosedRange<Int16> = 0...2
    package static let firstFlexibleVersion: Int16 = 0

    /// Whether to return the client's permitted operations on the cluster.
    package var includeClusterAuthorizedOperations: Bool
    /// 1 to describe brokers, 2 to describe controllers (KIP-919). Versions 1 and later.
    package var endpointType: Int8
    /// Whether to return fenced brokers too (KIP-1073). Version 2.
    package var includeFencedBrokers: Bool

    package init(
        includeClusterAuthorizedOperations: Bool = false, endpointType: Int8 = 1, includeFencedBrokers: Bool = false
    ) {
        self.includeClusterAuthorizedOperations = includeClusterAuthorizedOperations
        self.endpointType = endpointType
        self.includeFencedBrokers = includeFencedBrokers
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        includeClusterAuthorizedOperations = reader.bool()
        if version >= 1 { endpointType = reader.int8() }
        if version >= 2 { includeFencedBrokers = reader.bool() }
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.bool(includeClusterAuthorizedOperations)
        if version >= 1 {
            writer.int8(endpointType)
        } else {
            writer.omit("endpointType", isDefault: endpointType == 1)
        }
        if version >= 2 {
            writer.bool(includeFencedBrokers)
        } else {
            writer.omit("includeFencedBrokers", isDefault: !includeFencedBrokers)
        }
        writer.tags()
    }
}

/// The cluster's id, controller and brokers.
package struct DescribeClusterResponse: WireMessage {
    /// How long a quota throttled the request, in milliseconds.
    package var throttleTimeMs: Int32
    package var errorCode: Int16
    package var errorMessage: String?
    /// 1 for brokers, 2 for controllers. Versions 1 and later.
    package var endpointType: Int8
    package var clusterId: String
    /// The controller's node id; -1 if unknown.
    package var controllerId: Int32
    package var brokers: [Broker]
    /// Bit field by the numbers of `AclOperation`; `Int32.min` if not requested.
    package var clusterAuthorizedOperations: Int32

    package init(
        throttleTimeMs: Int32 = 0, errorCode: Int16 = 0, errorMessage: String? = nil, endpointType: Int8 = 1,
        clusterId: String = "", controllerId: Int32 = -1, brokers: [Broker] = [],
        clusterAuthorizedOperations: Int32 = .min
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.endpointType = endpointType
        self.clusterId = clusterId
        self.controllerId = controllerId
        self.brokers = brokers
        self.clusterAuthorizedOperations = clusterAuthorizedOperations
    }

    package init(from reader: inout WireReader, version: Int16) {
        self.init()
        throttleTimeMs = reader.int32()
        errorCode = reader.int16()
        errorMessage = reader.nullableString()
        if version >= 1 { endpointType = reader.int8() }
        clusterId = reader.string()
        controllerId = reader.int32()
        brokers = reader.array { Broker(from: &$0, version: version) }
        clusterAuthorizedOperations = reader.int32()
        reader.tags()
    }

    package func encode(to writer: inout WireWriter, version: Int16) {
        writer.int32(throttleTimeMs)
        writer.int16(errorCode)
        writer.nullableString(errorMessage)
        if version >= 1 {
            writer.int8(endpointType)
        } else {
            writer.omit("endpointType", isDefault: endpointType == 1)
        }
        writer.string(clusterId)
        writer.int32(controllerId)
        writer.array(brokers) { $1.encode(to: &$0, version: version) }
        writer.int32(clusterAuthorizedOperations)
        writer.tags()
    }
}

extension DescribeClusterResponse {
    /// A broker and its address.
    package struct Broker: WireMessage {
        package var brokerId: Int32
        package var host: String
        package var port: Int32
        package var rack: String?
        /// Whether the controller has fenced the broker, for example because its heartbeats stopped. Version 2.
        package var isFenced: Bool

        package init(
            brokerId: Int32 = 0, host: String = "", port: Int32 = 0, rack: String? = nil, isFenced: Bool = false
        ) {
            self.brokerId = brokerId
            self.host = host
            self.port = port
            self.rack = rack
            self.isFenced = isFenced
        }

        package init(from reader: inout WireReader, version: Int16) {
            self.init()
            brokerId = reader.int32()
            host = reader.string()
            port = reader.int32()
            rack = reader.nullableString()
            if version >= 2 { isFenced = reader.bool() }
            reader.tags()
        }

        package func encode(to writer: inout WireWriter, version: Int16) {
            writer.int32(brokerId)
            writer.string(host)
            writer.int32(port)
            writer.nullableString(rack)
            if version >= 2 {
                writer.bool(isFenced)
            } else {
                writer.omit("isFenced", isDefault: !isFenced)
            }
            writer.tags()
        }
    }
}
