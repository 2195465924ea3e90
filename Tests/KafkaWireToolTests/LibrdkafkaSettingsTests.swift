import CommandLineSupport
import Testing

@testable import KafkaWire
@testable import KafkaWireTool

/// Settings by librdkafka's names, as used with `-X` and in kcat's configuration files.
@Suite("librdkafka's settings")
struct LibrdkafkaSettingsTests {
    private func settings(_ pairs: KeyValuePairs<String, String>) throws -> KafkaSettings {
        try KafkaSettings(pairs.map { Setting(name: $0.key, value: $0.value) })
    }

    @Test(arguments: [
        ("metadata.broker.list", "h:1", "bootstrap.servers", "h:1"),
        ("bootstrap.servers", "h:1", "bootstrap.servers", "h:1"),
        ("sasl.mechanisms", "PLAIN", "sasl.mechanism", "PLAIN"),
        ("ssl.ca.location", "/ca", "ssl.truststore.location", "/ca"),
        ("ssl.ca.pem", "PEM", "ssl.truststore.certificates", "PEM"),
        ("ssl.certificate.location", "/c", "ssl.keystore.location", "/c"),
        ("ssl.certificate.pem", "C", "ssl.keystore.certificate.chain", "C"),
        ("ssl.key.pem", "K", "ssl.keystore.key", "K"),
        ("ssl.endpoint.identification.algorithm", "none", "ssl.endpoint.identification.algorithm", ""),
        ("message.timeout.ms", "5000", "delivery.timeout.ms", "5000"),
        ("message.timeout.ms", "0", "delivery.timeout.ms", "2147483647"),
        ("topic.message.timeout.ms", "7", "delivery.timeout.ms", "7"),
        ("message.max.bytes", "99", "max.request.size", "99"), ("compression.codec", "lz4", "compression.type", "lz4"),
        ("topic.compression.codec", "gzip", "compression.type", "gzip"),
        ("queue.buffering.max.ms", "20", "linger.ms", "20"), ("queue.buffering.max.ms", "0.5", "linger.ms", "1"),
        ("linger.ms", "2.0", "linger.ms", "2"), ("queue.buffering.max.kbytes", "2", "buffer.memory", "2048"),
        ("request.required.acks", "-1", "acks", "-1"), ("topic.request.required.acks", "1", "acks", "1"),
        ("topic.acks", "all", "acks", "all"), ("auto.offset.reset", "smallest", "auto.offset.reset", "earliest"),
        ("topic.auto.offset.reset", "largest", "auto.offset.reset", "latest"),
        ("auto.offset.reset", "error", "auto.offset.reset", "none"),
        ("auto.offset.reset", "by_duration:PT1H", "auto.offset.reset", "by_duration:PT1H"),
        ("auto.commit.enable", "0", "enable.auto.commit", "false"),
        ("enable.idempotence", "t", "enable.idempotence", "true"),
        ("auto.commit.interval.ms", "0", "enable.auto.commit", "false"),
        ("auto.commit.interval.ms", "9", "auto.commit.interval.ms", "9"),
        ("fetch.wait.max.ms", "3", "fetch.max.wait.ms", "3"),
        ("fetch.message.max.bytes", "4", "max.partition.fetch.bytes", "4"),
        ("socket.timeout.ms", "100", "request.timeout.ms", "100"),
        ("topic.metadata.refresh.interval.ms", "-1", "metadata.max.age.ms", "2147483647"),
        ("connections.max.idle.ms", "0", "connections.max.idle.ms", "-1"),
        ("max.in.flight", "1000000", "max.in.flight.requests.per.connection", "5"),
        ("max.in.flight.requests.per.connection", "2", "max.in.flight.requests.per.connection", "2"),
        ("fetch.min.bytes", "1", "fetch.min.bytes", "1"), ("key.serializer", "x", "key.serializer", "x"),
    ])
    func oneSetting(name: String, value: String, kafkaName: String, kafkaValue: String) throws {
        let settings = try settings([name: value])
        #expect(settings.properties == [kafkaName: kafkaValue])
        #expect(settings.notes.isEmpty)
    }

    @Test func theLastOfSeveralNamesApplies() throws {
        #expect(try settings(["acks": "all", "request.required.acks": "1"]).properties == ["acks": "1"])
        #expect(try settings(["request.required.acks": "1", "acks": "all"]).properties == ["acks": "all"])
        #expect(try settings(["ssl.ca.location": "/ca", "ssl.ca.location": "probe"]).properties.isEmpty)
        #expect(
            try settings(["compression.codec": "zstd", "topic.compression.codec": "inherit"]).properties.count == 1)
    }

    @Test func theLevelAppliesToTheCodec() throws {
        let lz4 = try settings(["compression.level": "9", "compression.codec": "lz4"])
        #expect(lz4.properties == ["compression.type": "lz4", "compression.lz4.level": "9"])
        let none = try settings(["compression.level": "9"])
        #expect(none.properties.isEmpty)
        #expect(none.notes == ["the setting compression.level is ignored: the codec none has no levels"])
        #expect(try settings(["compression.level": "-1", "compression.codec": "gzip"]).properties.count == 1)
    }

    @Test(arguments: [
        "socket.keepalive.enable", "api.version.request", "queued.min.messages", "retries", "log_level",
        "topic.produce.offset.report", "topic.metadata.refresh.sparse", "statistics.interval.ms",
        "schema.registry.url", "sasl.kerberos.keytab",
    ])
    func settingsWithoutCounterpartAreIgnoredWithANote(name: String) throws {
        let settings = try settings([name: "s3cret", name: "s3cret"])
        #expect(settings.properties.isEmpty)
        #expect(settings.notes.count == 1)
        #expect(settings.notes.first?.hasPrefix("the setting \(name) is ignored: ") == true)
        #expect(settings.notes.first?.contains("s3cret") == false)
    }

    @Test func certificatesAreAlwaysVerified() throws {
        #expect(try settings(["enable.ssl.certificate.verification": "true"]).notes.isEmpty)
        #expect(try settings(["enable.ssl.certificate.verification": "false"]).notes.count == 1)
    }

    @Test(arguments: [
        ("metadata.broker.lst", "did you mean metadata.broker.list?"),
        ("fetch.max.byte", "did you mean fetch.max.bytes?"),
        ("topic.request.required.ack", "did you mean request.required.acks?"),
        ("socket.keepalive.enabled", "did you mean socket.keepalive.enable?"),
        ("fetch.something.else.entirely", "there is no property fetch.something.else.entirely: "),
        ("s3cretpassword", "of a name that was given; it isn't shown"),
    ])
    func unknownNames(name: String, sentence: String) {
        let failure = #expect(throws: Failure.self) { try settings([name: "s3cret"]) }
        #expect(failure?.status == .usage)
        #expect(failure?.sentence.contains(sentence) == true, "\(failure?.sentence ?? "")")
        #expect(failure?.sentence.contains("s3cret") == false)
    }

    @Test(arguments: [
        ("queue.buffering.max.ms", "soon"), ("queue.buffering.max.kbytes", "0"), ("enable.idempotence", "perhaps"),
        ("partitioner", "mine"), ("enable.ssl.certificate.verification", "no"), ("debug", "everything"),
    ])
    func valuesThatCantBe(name: String, value: String) {
        let failure = #expect(throws: Failure.self) { try settings([name: value]) }
        #expect(failure?.sentence.contains(value) == false)
    }

    /// `-X list` and `-X dump` must have exactly the names that the library reads.
    @Test func theTableHasTheLibrarysNames() throws {
        var list = PropertyList([:])
        var configuration = try ClientConfiguration(bootstrapServers: "h:1")
        try configuration.take(from: &list)
        #expect(Set(KnownSetting.names) == Set(list.known))
        #expect(KnownSetting.names.count == Set(KnownSetting.names).count)
    }

    /// The library reads each default in the table, and the result equals the default configuration.
    @Test(arguments: KnownSetting.names) func defaultsCanBeReadAgain(name: String) throws {
        let setting = try #require(KnownSetting.all.first { $0.name == name })
        let configuration = try ClientConfiguration(bootstrapServers: "h:1")
        guard case .shown(let text) = setting.value(configuration) else { return }
        let again = try ClientConfiguration(bootstrapServers: "h:1", properties: [name: text])
        #expect(setting.value(again) == .shown(text))
    }

    @Test func everyTranslationLeadsToANameOfTheLibrary() {
        for alias in LibrdkafkaSettings.aliases { #expect(KnownSetting.names.contains(alias.kafkaName), "\(alias)") }
    }

    @Test func anUnsignedToken() throws {
        let pairs: KeyValuePairs = [
            "sasl.oauthbearer.config": "principal=al\"ice lifeSeconds=60",
            "enable.sasl.oauthbearer.unsecure.jwt": "true",
            "security.protocol": "sasl_ssl", "sasl.mechanisms": "OAUTHBEARER",
        ]
        let properties = try settings(pairs).properties
        #expect(
            properties["sasl.jaas.config"]
                == "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
                + #"unsecuredLoginStringClaim_sub="al\"ice" unsecuredLoginLifetimeSeconds="60";"#)
        let configuration = try ClientConfiguration(bootstrapServers: "h:1", properties: properties)
        #expect(configuration.security.sasl?.mechanism == "OAUTHBEARER")
        // Without the switch the setting has no effect.
        #expect(try settings(["sasl.oauthbearer.config": "principal=alice"]).properties.isEmpty)
        #expect(throws: Failure.self) {
            try settings(["sasl.oauthbearer.config": "s3cret", "enable.sasl.oauthbearer.unsecure.jwt": "1"])
        }
    }

    // MARK: Ports and partitioners

    @Test(arguments: [
        ("h", "h:9092"), ("h:1", "h:1"), ("a,b:2,10.0.0.1", "a:9092,b:2,10.0.0.1:9092"), ("[::1]:5", "[::1]:5"),
        ("u@h", "u@h"), ("", ""),
    ])
    func brokersWithoutAPortGetTheDefaultPort(servers: String, expected: String) {
        #expect(ConnectionOptions.withPorts(servers) == expected)
    }

    /// CRC-32's check value, and Sarama's hashes from librdkafka's own tests.
    @Test func hashes() {
        func hash(_ text: String, _ function: (RawSpan) -> UInt32) -> UInt32 {
            unsafe function(Array(text.utf8).span.bytes)
        }
        #expect(hash("123456789", LibrdkafkaPartitioner.crc32) == 0xcbf4_3926)
        #expect(hash("kafka", LibrdkafkaPartitioner.fnv1a) == 0xd33c_4e1)
        #expect(hash("giberish123456789", LibrdkafkaPartitioner.fnv1a) == 0x77a5_8295)
    }

    @Test(arguments: LibrdkafkaPartitioner.Kind.allCases)
    func partitionsAreWithinTheTopic(kind: LibrdkafkaPartitioner.Kind) {
        let partitioner = LibrdkafkaPartitioner(kind: kind)
        for length in 0..<40 {
            let key = [UInt8](repeating: UInt8(length * 6), count: length)
            for count in [1, 2, 7, Int32.max] {
                let withKey = unsafe partitioner.partition(
                    topic: "t", key: key.span.bytes, value: nil, partitionCount: count)
                let withoutKey = partitioner.partition(topic: "t", key: nil, value: nil, partitionCount: count)
                for partition in [withKey, withoutKey].compactMap(\.self) { #expect((0..<count).contains(partition)) }
            }
        }
    }
}
