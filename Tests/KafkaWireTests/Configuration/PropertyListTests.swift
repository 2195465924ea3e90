import Testing

@testable import KafkaWire

@Suite("Settings by their names in Kafka")
struct PropertyListTests {
    private func configuration(_ properties: [String: String]) throws -> ClientConfiguration {
        try ClientConfiguration(bootstrapServers: "127.0.0.1:9092", properties: properties)
    }

    @Test("Every setting is read")
    func values() throws {
        let configuration = try configuration([
            "client.id": "press-3", "request.timeout.ms": "1500", "retry.backoff.ms": "0", "fetch.min.bytes": "10",
            "auto.offset.reset": "NONE", "check.crcs": "false", "acks": "1", "linger.ms": "20",
            "compression.type": "gzip", "batch.size": "0", "max.in.flight.requests.per.connection": "5",
        ])
        #expect(configuration.clientID == "press-3")
        #expect(configuration.requestTimeout == .milliseconds(1500))
        #expect(configuration.retryBackoff == .zero)
        #expect(configuration.consumer.minimumFetchBytes == 10)
        #expect(configuration.consumer.offsetReset == .fail)
        #expect(!configuration.consumer.checksCRCs)
        #expect(configuration.producer.acks == .leader)
        #expect(!configuration.producer.isIdempotent)
        #expect(configuration.producer.linger == .milliseconds(20))
        #expect(configuration.producer.compression == .gzip)
    }

    @Test("Whitespace around a bootstrap server is ignored")
    func blanksAroundServers() throws {
        let configuration = try ClientConfiguration(bootstrapServers: " a:1 ,\tb:2 , [::1]:3\n")
        #expect(configuration.bootstrapServers.map(\.description) == ["a:1", "b:2", "[::1]:3"])
    }

    @Test("A duration is sent in whole milliseconds, clamped to the largest value that fits")
    func milliseconds() {
        #expect(Duration.zero.asMilliseconds == 0)
        #expect(Duration.microseconds(1999).asMilliseconds == 1)
        #expect(Duration.seconds(-1.5).wholeMilliseconds == -1500)
        #expect(Duration.milliseconds(Int32.max).asMilliseconds == .max)
        #expect(Duration.seconds(Int64.max).asMilliseconds == .max)
        #expect(Duration.seconds(Int64.max).wholeMilliseconds == .max)
        #expect((Duration.seconds(Int64.max) * 2).wholeMilliseconds == .max)
        #expect(Duration.seconds(Int64.min).asMilliseconds == .min)
        #expect(Duration.seconds(1 << 40).wholeMilliseconds == 1000 << 40)
    }

    @Test("Each codec has its own compression level")
    func levels() throws {
        let levels = [
            "compression.gzip.level": "9", "compression.lz4.level": "12", "compression.zstd.level": "-5",
        ]
        for (type, level) in [("gzip", 9), ("none", nil), ("GZIP", 9)] as [(String, Int?)] {
            let given = try configuration(levels.merging(["compression.type": type]) { $1 }).producer
            #expect(given.compressionLevel == level)
            #expect((given.gzipLevel, given.lz4Level, given.zstdLevel) == (9, 12, -5))
        }
        let inherited = try configuration(["compression.gzip.level": "-1", "compression.type": "gzip"]).producer
        #expect(inherited.compressionLevel == nil && inherited.lz4Level == nil && inherited.zstdLevel == nil)
    }

    @Test("A setting that is not given keeps its default")
    func defaults() throws {
        let given = try configuration([:])
        #expect(given.requestTimeout == .seconds(30))
        #expect(given.producer.acks == .all)
        #expect(given.producer.isIdempotent)
        #expect(given.consumer.offsetReset == .latest)
    }

    @Test(
        "an unknown name is refused, with the nearest right one",
        arguments: [
            ("linger", "linger.ms"), ("batch.sise", "batch.size"), ("ack", "acks"),
            ("auto.offset.rest", "auto.offset.reset"), ("fetch.max.byte", "fetch.max.bytes"),
        ])
    func unknownName(name: String, nearest: String) {
        let error = #expect(throws: KafkaError.self) { try configuration([name: "1"]) }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.contains("there is no property \(name); did you mean \(nearest)?") == true)
    }

    @Test("An unknown name with a known prefix is shown without a hint")
    func strangeName() {
        let error = #expect(throws: KafkaError.self) { try configuration(["fetch.something.else.entirely": "1"]) }
        #expect(error?.message == "there is no property fetch.something.else.entirely")
    }

    @Test(
        "a name that may be part of a value isn't shown",
        arguments: [
            "sesame", "sesame2.more", "MIIEvgIBADANBgsesameG9w0BAQEFAASCBKgwggSkAgEAAoIBAQ", "fetch.sesame\u{301}",
            "password=\"sesame", "-----BEGINsesame",
        ])
    func partOfAValue(name: String) throws {
        let error = #expect(throws: KafkaError.self) { try configuration([name: "1"]) }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.contains("sesame") == false, "\(error?.message ?? "")")
        let file = try PropertiesFile(
            "bootstrap.servers=b:1\nsecurity.protocol=SSL\nssl.truststore.certificates=-----BEGIN\n\(name)\n".utf8,
            path: "f")
        let inFile = #expect(throws: KafkaError.self) { try ClientConfiguration(file) }
        #expect(
            inFile?.message.hasPrefix("f, line 4: there is no property of a name") == true, "\(inFile?.message ?? "")")
        #expect(inFile?.message.contains("sesame") == false)
    }

    @Test(
        "a value that may contain a password isn't shown",
        arguments: [
            ("security.protocol", "sasl://u:sesame@h"), ("fetch.max.bytes", "password=sesame"),
            ("bootstrap.servers", "postgresql://u:sesame@h/db"), ("bootstrap.servers", "u:sesame@h:9092"),
            ("bootstrap.servers", "sesame@h:9092"), ("bootstrap.servers", "sesame@\u{301}h:9092"),
            ("bootstrap.servers", "alice:sesame"), ("sasl.mechanism", "u:sesame@h"),
            ("bootstrap.servers", "alice-sesame"),
            ("acks", "sesame"), ("security.protocol", "sesame"), ("partition.assignment.strategy", "sesame"),
            ("ssl.truststore.type", "sesame"), ("sasl.mechanism", "sesame"), ("linger.ms", "sesame"),
        ])
    func secretValue(name: String, value: String) {
        let error = #expect(throws: KafkaError.self) {
            try ClientConfiguration(
                properties: ["bootstrap.servers": "b:1", "security.protocol": "SASL_PLAINTEXT"].merging([name: value]) {
                    $1
                })
        }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.contains("sesame") == false, "\(error?.message ?? "")")
    }

    @Test(
        "an invalid value is refused, and the error says what is expected",
        arguments: [
            ("request.timeout.ms", "0", "a whole number from 1"), ("linger.ms", "-1", "a whole number from 0"),
            ("linger.ms", "5ms", "a whole number"), ("batch.size", "", "a whole number"),
            ("batch.size", "99999999999999999999", "a whole number"), ("check.crcs", "yes", "true or false"),
            ("acks", "2", "one of all, -1, 0, 1"), ("compression.type", "brotli", "gzip, snappy, lz4, zstd"),
            ("compression.gzip.level", "0", "1 to 9"), ("compression.gzip.level", "10", "from -1 to 9"),
            ("compression.lz4.level", "18", "from 1 to 17"), ("compression.zstd.level", "23", "from -131072 to 22"),
            ("max.in.flight.requests.per.connection", "6", "from 1 to 5"),
            ("auto.offset.reset", "begin", "one of earliest, latest, none"),
            ("fetch.max.bytes", "2147483648", "to 2147483647"),
        ])
    func badValue(name: String, value: String, expected: String) {
        let error = #expect(throws: KafkaError.self) { try configuration([name: value]) }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.contains(name) == true)
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test("Idempotence requires acks=all", arguments: ["0", "1"])
    func idempotence(acks: String) throws {
        let error = #expect(throws: KafkaError.self) {
            try configuration(["acks": acks, "enable.idempotence": "true"])
        }
        #expect(error?.code == .invalidConfig)
        #expect(try !configuration(["acks": "all", "enable.idempotence": "false"]).producer.isIdempotent)
    }

    @Test(
        "bootstrap servers",
        arguments: [
            ("localhost:9092", ["localhost:9092"]), ("a:1,b:2", ["a:1", "b:2"]), (" a:1, b:65535", ["a:1", "b:65535"]),
            ("[::1]:9092", ["[::1]:9092"]),
        ])
    func bootstrap(text: String, expected: [String]) throws {
        let servers = try ClientConfiguration(bootstrapServers: text).bootstrapServers
        #expect(servers.map(\.description) == expected)
    }

    @Test(
        "invalid bootstrap servers are refused",
        arguments: ["", ",", "a", "a:", "a:0", "a:65536", ":9092", "::1:9092", "kafka://a:9092", "a b:1", "a:1;b:2"])
    func badBootstrap(text: String) {
        let error = #expect(throws: KafkaError.self) { try ClientConfiguration(bootstrapServers: text) }
        #expect(error?.code == .invalidConfig)
    }

    @Test(arguments: [
        ("message.timeout.ms", "there is no property message.timeout.ms: Kafka's name is delivery.timeout.ms"),
        ("retries", "there is no property retries: delivery.timeout.ms limits the retries"),
        ("max.poll.record", "there is no property max.poll.record"),
    ]) func whatOtherClientsHave(_ name: String, _ sentence: String) {
        let error = #expect(throws: KafkaError.self) { try configuration([name: "1"]) }
        #expect(error?.message.hasPrefix(sentence) == true)
        #expect(error?.message.contains("did you mean") == false)
    }
}
