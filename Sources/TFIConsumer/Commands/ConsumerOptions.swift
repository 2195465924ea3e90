import CommandLineSupport
import HTTPServer
import KafkaWire

/// The options that several commands of `tfi-consumer` share.
enum ConsumerOptions {
    static let group = Option(
        "group", .name, default: "tfi-consumer",
        help: "The consumer group: its runs share the partitions, and offsets are kept under its name in the database.")
    static let workers = Option(
        "workers", .int(1...64), default: 1,
        help: "How many members of the group this process runs, each with a consumer and a database connection.")
    static let standalone = Option(
        flag: "standalone",
        help: "Reads all partitions without joining the group. No other run may use the same --group then.")
    static let database = Option(
        optional: "database", .uri, placeholder: "URI",
        help: "The database, as postgresql://user@host:port/name; without it libpq's PGHOST, PGUSER and so on say.")
    static let schema = Option(
        "schema", .schemaName, default: "workshop", help: "The schema of tables and views.")
    static let logFormat = Option(
        "log-format", .word(Log.Format.self), default: .text, help: "How lines of the log are written.")
    static let logLevel = Option(
        "log-level", .word(Log.Level.self), default: .info,
        help: "The least important lines of the log that are written.")
    static let http = Option(
        optional: "http", .listenAddress,
        help: "Where to serve the plant's live page at /, and /healthz, /readyz and /metrics; a port alone is one of "
            + "127.0.0.1. Without it nothing is.")
    static let wait = Option(
        flag: "wait",
        help:
            "Waits at the start for a database, a broker, a topic or tables that are not there yet, instead of failing."
    )
    static let untilCaughtUp = Option(
        flag: "until-caught-up", help: "Ends when everything is read that was there at the start.")

    static let cluster: [any OptionDeclaration] = [
        CommonOptions.bootstrapServers, CommonOptions.topic, CommonOptions.properties, CommonOptions.config,
    ]
}

extension ValueFormat<String> {
    /// A schema's name. The server cuts a longer one off, so that two names could mean the same schema.
    static let schemaName = ValueFormat(
        placeholder: "NAME", expectation: "a name of 1 to 63 bytes, and no address",
        parse: { KafkaName.isGroup($0) && $0.utf8.count <= 63 && !$0.utf8.contains(0) ? $0 : nil }, format: { $0 })

    /// A database's address, which may hold a password and so is never shown.
    static let uri = ValueFormat(
        placeholder: "URI", expectation: "an address such as postgresql://user@host:port/name",
        parse: { $0.isEmpty ? nil : $0 }, format: { _ in "…" })
}

extension ValueFormat<ListenAddress> {
    /// Where a server listens.
    static let listenAddress = ValueFormat(
        placeholder: "HOST:PORT", expectation: "an address such as 0.0.0.0:8080, or a port",
        parse: { ListenAddress(parsing: $0) }, format: { "\($0)" })
}

extension ParsedOptions {
    /// A client with this program's defaults, where neither `--config` nor `--property` says otherwise.
    ///
    /// Calls are given up after ten seconds, so that a wrong address is told of soon; a consumer that is under way
    /// waits for as long as it takes. Reading begins with the oldest message. No topic is created: a missing one is a
    /// mistake in a name, or was deleted.
    func client(_ log: Log = .ofCommand, counters: ClientCounters? = nil) async throws(Failure) -> KafkaClient {
        let defaults = [
            "client.id": "tfi-consumer", "default.api.timeout.ms": "10000", "request.timeout.ms": "10000",
            "socket.connection.setup.timeout.ms": "5000", "auto.offset.reset": "earliest",
            // Offsets are the database's.
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

    /// Whether `--property` or the file of `--config` gives a setting of the client.
    func givesProperty(_ name: String) async throws -> Bool {
        if self[CommonOptions.properties].byName[name] != nil { return true }
        guard let path = self[CommonOptions.config] else { return false }
        return try await PropertiesFile.read(path).entries.contains { $0.name == name }
    }
}

extension KafkaClient {
    /// Clients of the same cluster for members of a group.
    ///
    /// - Parameters:
    ///   - groupProtocol: nil to choose: the one of KIP-848 if the cluster serves it, otherwise the classic one.
    ///   - count: With several members and `group.instance.id`, each has its own: the setting's with -1, -2 and so on.
    ///   - log: That of a member, by its number from 1 on.
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
            // One client for each: otherwise the requests of one member would wait for answers to another one.
            return KafkaClient(configuration, hooks: ParsedOptions.hooks(log(number), counters))
        }
    }
}

extension ParsedOptions {
    /// Logs what the client waits for and why, and how the partitions of its group move.
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

    /// Partitions in words, the first of many.
    static func list(_ partitions: [TopicPartition]) -> String {
        let shown = partitions.prefix(20).map(\.description).joined(separator: " ")
        return partitions.count > 20 ? "\(shown) and \(partitions.count - 20) more" : shown
    }
}

extension Log {
    static let ofCommand = Log(ofCommandOf: "tfi-consumer")
}

extension KafkaClient {
    /// The brokers that are asked first, as `--bootstrap-servers` has them.
    var servers: String { configuration.bootstrapServers.map(\.description).joined(separator: ",") }

    /// Does what a command begins with at the cluster. However many brokers keep silent, there is an answer in time.
    func beginning<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let silence = Failure(
            "the brokers at \(servers) don't answer: is --bootstrap-servers right, and does Kafka run there?",
            status: .unavailable)
        return try await withDeadline(.seconds(14), failure: silence, work)
    }
}

extension Failure {
    /// What to tell of an error of the cluster, and with which status.
    init(_ error: KafkaError, topic: String, bootstrapServers: String) {
        switch error.code {
        case .unknownTopicOrPartition:
            self.init(
                "\(error.message): make it, for example with 'tfi-producer replay', or give another --topic",
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
