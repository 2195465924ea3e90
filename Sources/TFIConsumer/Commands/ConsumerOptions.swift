import CommandLineSupport
import HTTPServer
import KafkaWire

/// The options that several commands of `tfi-consumer` share.
enum ConsumerOptions {
    static let group = Option(
        "group", .name, default: "tfi-consumer",
        help: "The consumer group. Its runs share the partitions, and the database keeps the offsets under its name.")
    static let workers = Option(
        "workers", .int(1...64), default: 1,
        help: "The number of group members in this process, each with its own consumer and database connection.")
    static let standalone = Option(
        flag: "standalone",
        help: "Reads all partitions without joining the group. No other run may use the same --group meanwhile.")
    static let database = Option(
        optional: "database", .uri, placeholder: "URI",
        help: "The database, as postgresql://user@host:port/name. Default: libpq's PGHOST, PGUSER and so on.")
    static let schema = Option(
        "schema", .schemaName, default: "workshop", help: "The schema of the tables and views.")
    static let logFormat = Option(
        "log-format", .word(Log.Format.self), default: .text, help: "The format of log lines.")
    static let logLevel = Option(
        "log-level", .word(Log.Level.self), default: .info,
        help: "The lowest level that is logged.")
    static let http = Option(
        optional: "http", .listenAddress,
        help: "The address at which to serve the plant's live page (/), /healthz, /readyz and /metrics. A port alone "
            + "means 127.0.0.1. By default nothing is served.")
    static let wait = Option(
        flag: "wait",
        help:
            "Waits at the start until the database, the brokers, the topics and the tables exist, instead of failing."
    )
    static let untilCaughtUp = Option(
        flag: "until-caught-up", help: "Ends after reading everything that was in the topics at the start.")

    static let cluster: [any OptionDeclaration] = [
        CommonOptions.bootstrapServers, CommonOptions.topic, CommonOptions.properties, CommonOptions.config,
    ]
}

extension ValueFormat<String> {
    /// A schema's name. The server truncates a longer one, so that two names could mean the same schema.
    static let schemaName = ValueFormat(
        placeholder: "NAME", expectation: "a name of 1 to 63 bytes that is not an address",
        parse: { KafkaName.isGroup($0) && $0.utf8.count <= 63 && !$0.utf8.contains(0) ? $0 : nil }, format: { $0 })

    /// A database's address. It may hold a password, so it is never shown.
    static let uri = ValueFormat(
        placeholder: "URI", expectation: "an address such as postgresql://user@host:port/name",
        parse: { $0.isEmpty ? nil : $0 }, format: { _ in "…" })
}

extension ValueFormat<ListenAddress> {
    /// The address at which a server listens.
    static let listenAddress = ValueFormat(
        placeholder: "HOST:PORT", expectation: "an address such as 0.0.0.0:8080, or a port",
        parse: { ListenAddress(parsing: $0) }, format: { "\($0)" })
}

extension ParsedOptions {
    /// Creates a client with this program's defaults, which `--config` and `--property` override.
    ///
    /// Calls time out after ten seconds, so that a wrong address is reported soon; a running consumer retries without
    /// limit. Reading begins with the oldest message. No topic is created: a missing topic was deleted, or its name is
    /// wrong.
    func client(_ log: Log = .ofCommand, counters: ClientCounters? = nil) async throws(Failure) -> KafkaClient {
        let defaults = [
            "client.id": "tfi-consumer", "default.api.timeout.ms": "10000", "request.timeout.ms": "10000",
            "socket.connection.setup.timeout.ms": "5000", "auto.offset.reset": "earliest",
            // The database stores the offsets.
            "allow.auto.create.topics": "false", "enable.auto.commit": "false", "metadata.max.age.ms": "30000",
            "partition.assignment.strategy": "cooperative-sticky",
        ]
        do throws(KafkaError) {
            let configuration: ClientConfiguration
            if let path = self[CommonOptions.config] {
                let file = try await PropertiesFile.read(path)
                configuration = try ClientConfiguration(
                    file, overriddenBy: clientProperties(defaults: defaults, file: Set(file.entries.map(\.name))))
            } else {
                configuration = try ClientConfiguration(properties: clientProperties(defaults: defaults))
            }
            return KafkaClient(configuration, hooks: Self.hooks(log, counters))
        } catch {
            throw Failure(error.message, status: error.code == .resourceNotFound ? .noInput : .usage)
        }
    }

    /// Whether `--property` or the file of `--config` contains a setting of the client.
    func givesProperty(_ name: String) async throws -> Bool {
        if self[CommonOptions.properties].byName[name] != nil { return true }
        guard let path = self[CommonOptions.config] else { return false }
        return try await PropertiesFile.read(path).entries.contains { $0.name == name }
    }
}

extension KafkaClient {
    /// Creates clients of the same cluster for members of a group.
    ///
    /// - Parameters:
    ///   - groupProtocol: nil to choose: the KIP-848 protocol if the cluster supports it, otherwise the classic one.
    ///   - count: With several members and `group.instance.id`, each has its own: the setting's with -1, -2 and so on.
    ///   - log: The log of a member, by its number, counted from 1.
    /// - Throws: If no broker can be reached.
    func members(
        of group: String, _ groupProtocol: GroupConfiguration.GroupProtocol?, count: Int,
        log: (Int) -> Log, counters: ClientCounters
    ) async throws -> [KafkaClient] {
        var configuration = configuration
        configuration.group.groupID = group
        if let groupProtocol {
            configuration.group.groupProtocol = groupProtocol
        } else {
            configuration.group.groupProtocol = try await admin.supportsConsumerProtocol() ? .consumer : .classic
        }
        let instance = configuration.group.groupInstanceID
        return (1...count).map { number in
            if let instance, count > 1 { configuration.group.groupInstanceID = "\(instance)-\(number)" }
            // One client per member: with a shared one, a member's requests would wait for the answers to another
            // member's.
            return KafkaClient(configuration, hooks: ParsedOptions.hooks(log(number), counters))
        }
    }
}

extension ParsedOptions {
    /// Logs what the client waits for and why, and the changes of its group's assignment.
    fileprivate static func hooks(_ log: Log, _ counters: ClientCounters?) -> ClientHooks {
        let reasons = RecentReasons()
        var hooks = ClientHooks()
        hooks.availabilityChanged = { change in
            switch change {
            case .lost(let broker, let reason):
                reasons.printed(reason, of: "lost \(broker)")
                log.warning("\(change)")
            default: log.info("\(change)")
            }
        }
        hooks.retrying = { event in
            if let error = event.error {
                if reasons.isNew(error.message, of: event.operation) { log.warning("\(event)") }
            } else if reasons.isNewSuccess(of: event.operation) {
                log.info("\(event)")
            }
        }
        guard let counters else { return hooks }
        hooks.rebalanced = { event in
            counters.count { $0.rebalances[event.change.rawValue, default: 0] += 1 }
            log.info(
                "partitions \(event.change.rawValue)",
                [
                    "group": .string(event.groupID), "generation": .integer(Int(event.generationID)),
                    "partitions": .string(Self.list(event.partitions)),
                ])
        }
        hooks.connected = { event in
            counters.count { counts in
                if event.error == nil { counts.connections += 1 } else { counts.failedConnections += 1 }
            }
        }
        return hooks
    }

    /// Lists at most 20 partitions, and the number of the others.
    static func list(_ partitions: [TopicPartition]) -> String {
        let shown = partitions.prefix(20).map(\.description).joined(separator: " ")
        return partitions.count > 20 ? "\(shown) and \(partitions.count - 20) more" : shown
    }
}

extension Log {
    static let ofCommand = Log(ofCommandOf: "tfi-consumer")
}

extension KafkaClient {
    /// The bootstrap servers, in the form of `--bootstrap-servers`.
    var servers: String { configuration.bootstrapServers.map(\.description).joined(separator: ",") }

    /// Runs the first step of a command at the cluster. It fails in time even if brokers do not answer.
    func firstStep<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let silence = Failure(
            "the brokers at \(servers) do not answer; check --bootstrap-servers, and whether Kafka runs there",
            status: .unavailable)
        return try await withDeadline(.seconds(14), failure: silence, work)
    }
}

extension Failure {
    /// Turns an error of the cluster into a message and an exit status.
    init(_ error: KafkaError, topic: String, bootstrapServers: String) {
        switch error.code {
        case .unknownTopicOrPartition:
            self.init(
                "\(error.message): create it, for example with 'tfi-producer replay', or give another --topic",
                status: .configuration)
        case .networkException, .requestTimedOut:
            self.init("\(error.message); is --bootstrap-servers right (\(bootstrapServers))?", status: .unavailable)
        case .inconsistentTopicId, .unknownTopicId, .offsetOutOfRange, .logTruncation, .invalidConfig,
            .invalidTopicException:
            self.init("\(error)", status: .configuration)
        default:
            self.init("Kafka: \(error)", status: .unavailable)
        }
    }
}
