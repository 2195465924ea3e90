/// The translation of librdkafka's settings.
///
/// Source: https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
enum LibrdkafkaSettings {
    enum Meaning {
        /// Kafka's setting of this name, with the same values.
        case kafka(String)
        /// Kafka's setting of this name, with different values or units.
        ///
        /// - `expected`: A description of valid values, followed by "is expected" in errors.
        /// - `convert`: Returns Kafka's value; nil for an invalid value.
        case converted(String, expected: String, convert: @Sendable (String) -> String?)
        /// A setting that needs more than a conversion of its value.
        case special(Special)
        /// A setting without effect. `reason` follows "is ignored:" in the note; nil if there is no counterpart.
        case ignored(reason: String?)
    }

    enum Special {
        case keyFile, compressionLevel, compressionCodec, trustedCertificates, commitInterval, inFlight, verification
        case partitioner, debug, unsecuredToken, unsecuredTokenSwitch
    }

    /// The meaning of a setting by its name in Kafka or librdkafka.
    ///
    /// - Returns: nil if neither has such a setting.
    static func meaning(of name: String) -> Meaning? {
        if let meaning = translated[name] { return meaning }
        if KnownSetting.all.contains(where: { $0.name == name }) || passedOn.contains(name) { return .kafka(name) }
        return withoutCounterpart.contains(name) || name.hasPrefix("schema.registry.") ? .ignored(reason: nil) : nil
    }

    /// All names, for suggestions for a misspelt name.
    static var names: [String] { Array(translated.keys) + withoutCounterpart }

    /// The translated names with Kafka's names for them.
    static var aliases: [(name: String, kafkaName: String)] {
        var aliases: [(name: String, kafkaName: String)] = []
        for (name, meaning) in translated {
            switch meaning {
            case .kafka(let kafkaName) where kafkaName != name: aliases.append((name, kafkaName))
            case .converted(let kafkaName, _, _) where kafkaName != name: aliases.append((name, kafkaName))
            case .special(.trustedCertificates): aliases.append((name, "ssl.truststore.location"))
            case .special(.inFlight) where name == "max.in.flight":
                aliases.append((name, "max.in.flight.requests.per.connection"))
            case .special(.compressionCodec) where name != "compression.type":
                aliases.append((name, "compression.type"))
            default: break
            }
        }
        return aliases.sorted { $0 < $1 }
    }

    /// Whether only librdkafka has this name, which means that a file with it is for kcat.
    static func isForeign(_ name: String) -> Bool {
        if ["sasl.username", "sasl.password"].contains(name) || name.hasPrefix("topic.") { return true }
        return !KnownSetting.names.contains(name) && (translated[name] != nil || withoutCounterpart.contains(name))
    }

    /// Converts librdkafka's words for true and false; nil for other words.
    static func truth(_ text: String) -> String? {
        switch text.lowercased() {
        case "true", "t", "1": "true"
        case "false", "f", "0": "false"
        default: nil
        }
    }

    /// Settings of Java clients that the library itself ignores or rejects with a reason.
    private static let passedOn: Set<String> = [
        "key.serializer", "value.serializer", "key.deserializer", "value.deserializer", "max.poll.records",
        "partitioner.class", "interceptor.classes", "ssl.truststore.password", "ssl.keystore.password",
    ]

    // MARK: The table

    private static let translated: [String: Meaning] = {
        var table: [String: Meaning] = [
            "metadata.broker.list": .kafka("bootstrap.servers"),
            "message.max.bytes": .kafka("max.request.size"),
            "socket.timeout.ms": .kafka("request.timeout.ms"),
            "sasl.mechanisms": .kafka("sasl.mechanism"),
            "ssl.ca.location": .special(.trustedCertificates),
            "ssl.ca.pem": .kafka("ssl.truststore.certificates"),
            "ssl.certificate.location": .kafka("ssl.keystore.location"),
            "ssl.certificate.pem": .kafka("ssl.keystore.certificate.chain"),
            "ssl.key.location": .special(.keyFile),
            "ssl.key.pem": .kafka("ssl.keystore.key"),
            "enable.ssl.certificate.verification": .special(.verification),
            "fetch.wait.max.ms": .kafka("fetch.max.wait.ms"),
            "fetch.message.max.bytes": .kafka("max.partition.fetch.bytes"),
            "request.required.acks": .kafka("acks"),
            "compression.codec": .special(.compressionCodec),
            "compression.type": .special(.compressionCodec),
            "compression.level": .special(.compressionLevel),
            "max.in.flight": .special(.inFlight),
            "max.in.flight.requests.per.connection": .special(.inFlight),
            "auto.commit.interval.ms": .special(.commitInterval),
            "partitioner": .special(.partitioner),
            "debug": .special(.debug),
            "sasl.oauthbearer.config": .special(.unsecuredToken),
            "enable.sasl.oauthbearer.unsecure.jwt": .special(.unsecuredTokenSwitch),
            "queue.buffering.max.kbytes": .converted(
                "buffer.memory", expected: "a whole number from 1 to 2147483647",
                convert: { text in
                    guard let kilobytes = Int(text), (1...Int(Int32.max)).contains(kilobytes) else { return nil }
                    return "\(kilobytes * 1024)"
                }),
            "ssl.endpoint.identification.algorithm": .converted(
                "ssl.endpoint.identification.algorithm", expected: "https or none",
                convert: { $0.lowercased() == "none" ? "" : $0 }),
            "auto.offset.reset": .converted(
                "auto.offset.reset", expected: "",
                convert: { text in
                    switch text {
                    case "smallest", "beginning": "earliest"
                    case "largest", "end": "latest"
                    case "error": "none"
                    default: text
                    }
                }),
            "retries": .ignored(reason: "delivery.timeout.ms limits retries"),
            "message.send.max.retries": .ignored(reason: "delivery.timeout.ms limits retries"),
        ]
        let never = "\(Int32.max)"
        for name in ["message.timeout.ms", "delivery.timeout.ms"] {
            table[name] = .converted("delivery.timeout.ms", expected: "", convert: { $0 == "0" ? never : $0 })
        }
        table["topic.metadata.refresh.interval.ms"] = .converted(
            "metadata.max.age.ms", expected: "", convert: { $0 == "-1" ? never : $0 })
        table["connections.max.idle.ms"] = .converted(
            "connections.max.idle.ms", expected: "", convert: { $0 == "0" ? "-1" : $0 })
        for name in ["queue.buffering.max.ms", "linger.ms"] {
            table[name] = .converted("linger.ms", expected: "a number of milliseconds", convert: wholeMilliseconds)
        }
        for name in ["enable.idempotence", "allow.auto.create.topics", "enable.auto.commit", "check.crcs"] {
            table[name] = .converted(name, expected: "true or false", convert: { truth($0) })
        }
        table["auto.commit.enable"] = .converted(
            "enable.auto.commit", expected: "true or false", convert: { truth($0) })
        return table
    }()

    /// Rounds up a fraction, which librdkafka accepts. Rounding down to 0 would turn lingering off.
    @Sendable private static func wholeMilliseconds(_ text: String) -> String? {
        if Int(text) != nil { return text }
        guard let number = Double(text), (0...900_000).contains(number) else { return nil }
        return "\(Int(number.rounded(.up)))"
    }

    /// Settings of librdkafka without a counterpart in this client.
    private static let withoutCounterpart: Set<String> = [
        "api.version.fallback.ms", "api.version.request", "api.version.request.timeout.ms", "batch.num.messages",
        "broker.address.family", "broker.address.ttl", "broker.version.fallback", "builtin.features",
        "client.software.name", "client.software.version", "consume.callback.max.messages",
        "coordinator.query.interval.ms", "delivery.report.only.error", "enable.auto.offset.store",
        "enable.gapless.guarantee", "enable.metrics.push", "enable.partition.eof", "enable.random.seed",
        "enable.sparse.connections", "enabled_events",
        "fetch.error.backoff.ms", "fetch.queue.backoff.ms", "group.protocol.type", "https.ca.location",
        "https.ca.pem", "interceptors", "internal.termination.signal", "log.connection.close", "log.queue",
        "log.thread.name", "log_level", "message.copy.max.bytes", "metadata.request.timeout.ms",
        "offset.store.method", "offset.store.path", "offset.store.sync.interval.ms", "plugin.library.paths",
        "produce.offset.report", "queue.buffering.backpressure.threshold", "queue.buffering.max.messages",
        "queued.max.messages.kbytes", "queued.min.messages", "queuing.strategy", "reconnect.backoff.jitter.ms",
        "sasl.kerberos.keytab", "sasl.kerberos.kinit.cmd", "sasl.kerberos.min.time.before.relogin",
        "sasl.kerberos.principal", "sasl.kerberos.service.name", "sasl.oauthbearer.assertion.algorithm",
        "sasl.oauthbearer.assertion.claim.aud", "sasl.oauthbearer.assertion.claim.exp.seconds",
        "sasl.oauthbearer.assertion.claim.iss", "sasl.oauthbearer.assertion.claim.jti.include",
        "sasl.oauthbearer.assertion.claim.nbf.seconds", "sasl.oauthbearer.assertion.claim.sub",
        "sasl.oauthbearer.assertion.file", "sasl.oauthbearer.assertion.jwt.template.file",
        "sasl.oauthbearer.assertion.private.key.file", "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem", "sasl.oauthbearer.client.credentials.client.id",
        "sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.client.id",
        "sasl.oauthbearer.client.secret", "sasl.oauthbearer.extensions",
        "sasl.oauthbearer.grant.type", "sasl.oauthbearer.metadata.authentication.type", "sasl.oauthbearer.method",
        "sasl.oauthbearer.scope", "sasl.oauthbearer.sub.claim.name", "sasl.oauthbearer.token.endpoint.url",
        "socket.blocking.max.ms", "socket.keepalive.enable", "socket.max.fails", "socket.nagle.disable",
        "socket.receive.buffer.bytes", "socket.send.buffer.bytes", "ssl.ca.certificate.stores",
        "ssl.cipher.suites", "ssl.crl.location", "ssl.curves.list", "ssl.engine.id", "ssl.engine.location",
        "ssl.providers", "ssl.sigalgs.list", "statistics.interval.ms", "sticky.partitioning.linger.ms",
        "topic.blacklist", "topic.metadata.propagation.max.ms", "topic.metadata.refresh.fast.cnt",
        "topic.metadata.refresh.fast.interval.ms", "topic.metadata.refresh.sparse",
    ]
}
