import CommandLineSupport
import KafkaWire

/// The options that several commands of `tfi-consumer` share.
enum ConsumerOptions {
    static let group = Option(
        "group", .name, default: "tfi-consumer",
        help: "The name under which offsets are kept in the database. One consumer may run for a group.")
    static let database = Option(
        optional: "database", .uri, placeholder: "URI",
        help: "The database, as postgresql://user@host:port/name; without it libpq's PGHOST, PGUSER and so on say.")
    static let schema = Option(
        "schema", .schemaName, default: "workshop", help: "The schema of tables and views.")
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

extension ParsedOptions {
    /// A client with this program's defaults, where neither `--config` nor `--property` says otherwise.
    ///
    /// Calls are given up after ten seconds, so that a wrong address is told of soon; a consumer that is under way
    /// waits for as long as it takes. Reading begins with the oldest message. No topic is created: a missing one is a
    /// mistake in a name, or was deleted.
    func client(say: @escaping @Sendable (String) -> Void) async throws(Failure) -> KafkaClient {
        let defaults = [
            "client.id": "tfi-consumer", "default.api.timeout.ms": "10000", "request.timeout.ms": "10000",
            "socket.connection.setup.timeout.ms": "5000", "auto.offset.reset": "earliest",
            "allow.auto.create.topics": "false",
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
            return KafkaClient(configuration, hooks: Self.hooks(say: say))
        } catch {
            throw Failure(error.message, status: error.code == .resourceNotFound ? .noInput : .usage)
        }
    }
}

extension ParsedOptions {
    /// Prints what the client waits for, and why.
    private static func hooks(say: @escaping @Sendable (String) -> Void) -> ClientHooks {
        let reasons = RecentReasons()
        var hooks = ClientHooks()
        hooks.availabilityChanged = { change in
            if case .lost(let broker, let reason) = change { reasons.printed(reason, of: "lost \(broker)") }
            say("\(change)")
        }
        hooks.retrying = { event in
            let isNew =
                event.error.map { reasons.isNew($0.message, of: event.operation) }
                ?? reasons.isNewSuccess(of: event.operation)
            if isNew { say("\(event)") }
        }
        return hooks
    }
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
