import Foundation
import KafkaWire
import Testing

/// Values that newer brokers may send keep their raw value, and have a description.
@Suite struct OpenValueTests {
    @Test func `an unknown number round-trips`() {
        #expect(AclOperation(rawValue: 99).rawValue == 99)
        #expect(
            AclOperation(rawValue: 99).description == "99"
                && AclOperation.describeConfigs.description == "DESCRIBE_CONFIGS")
        #expect(AclPermission(rawValue: 9) != .allow && AclPermission.deny.description == "DENY")
        #expect(AclResource.Kind(rawValue: 77).description == "77" && AclResource.Kind(rawValue: 2) == .topic)
        #expect(AclResource.PatternType(rawValue: 3) == .literal)
        #expect(ConfigResource.Kind(rawValue: 64).rawValue == 64)
        #expect(ConfigResource(ConfigResource.Kind(rawValue: 64), "x").description == "64 x")
        #expect(ConfigEntry.Source(rawValue: 44).description == "44")
        #expect(ConfigEntry.ValueType(rawValue: 7) == .list)
        #expect(ScramMechanism(rawValue: 3).description == "3")
        #expect(Compression(rawValue: 6).description == "codec 6" && !Compression(rawValue: 6).isAvailable)
        #expect(IsolationLevel(rawValue: 2).description == "2")
        #expect(ErrorCode(rawValue: 999).description == "ERROR_999" && !ErrorCode(rawValue: 999).isRetriable)
        #expect(GroupState(rawValue: "Dreaming").description == "Dreaming")
    }

    @Test func `a switch has a default for what comes later`() {
        func text(_ availability: BrokerAvailability) -> String {
            switch availability {
            case .lost(let broker, _): "lost \(broker)"
            case .back(let broker): "back \(broker)"
            @unknown default: "changed"
            }
        }
        #expect(text(.back(BrokerAddress(host: "a", port: 1))) == "back a:1")
    }

    private static let changes: [(String, @Sendable (inout ClientConfiguration) -> Void)] = [
        ("isolation.level", { $0.consumer.isolationLevel = IsolationLevel(rawValue: 2) }),
        ("group.protocol", { $0.group.groupProtocol = .init(rawValue: "quantum") }),
        ("partition.assignment.strategy", { $0.group.assignors = [PartitionAssignor(rawValue: "lottery")] }),
        ("client.dns.lookup", { $0.dnsLookup = DNSLookup(rawValue: "oracle") }),
        ("metadata.recovery.strategy", { $0.metadataRecoveryStrategy = .init(rawValue: "pray") }),
        ("acks", { $0.producer.acks = .init(rawValue: 2) }),
        ("compression.type", { $0.producer.compression = Compression(rawValue: 6) }),
        (
            "TLS versions",
            {
                $0.security.tls = TLSConfiguration()
                $0.security.tls?.versions = .tls12...TLSConfiguration.Version(rawValue: 0x0305)
            }
        ),
    ]

    @Test(arguments: changes.indices)
    func `a setting that the client does not know is refused`(index: Int) throws {
        let (name, change) = Self.changes[index]
        var configuration = try ClientConfiguration(bootstrapServers: "localhost:9092")
        try configuration.validate()
        change(&configuration)
        let error = #expect(throws: KafkaError.self) { try configuration.validate() }
        #expect(error?.code == .invalidConfig && error?.message.contains(name) == true)
        #expect(error?.isFatal == true)
    }

    @Test func `timestamps convert to dates and back`() {
        let timestamp = KafkaTimestamp(millisecondsSince1970: 1_700_000_000_123)
        #expect(timestamp.date == Date(timeIntervalSince1970: 1_700_000_000.123))
        #expect(KafkaTimestamp(Date(timeIntervalSince1970: 1.5)).millisecondsSince1970 == 1500)
        #expect(KafkaTimestamp.unknown.date == nil && !KafkaTimestamp.unknown.isKnown)
        #expect(KafkaTimestamp.unknown < KafkaTimestamp(millisecondsSince1970: 0))
        #expect(KafkaTimestamp.now > timestamp)
        #expect(KafkaTimestamp(Date(timeIntervalSince1970: -5)) == .unknown)
        #expect(KafkaTimestamp(Date(timeIntervalSince1970: .nan)) == .unknown)
        #expect(KafkaTimestamp(Date(timeIntervalSince1970: .infinity)).millisecondsSince1970 == .max)
    }
}
