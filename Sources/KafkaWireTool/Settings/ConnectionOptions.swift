import CommandLineSupport
import Foundation
import KafkaWire

/// The connection options: `-b`, `-X`, `-F`, `-m` and `-d`.
struct ConnectionOptions: Equatable {
    /// A report to print instead of connecting.
    enum Report: Equatable {
        /// `-X list`
        case list
        /// `-X dump`
        case dump
    }

    static let specs = [
        OptionSpec("b", "bootstrap-servers", takesValue: true), OptionSpec("X", "property", takesValue: true),
        OptionSpec("F", takesValue: true), OptionSpec("d", takesValue: true), OptionSpec("m", takesValue: true),
    ]

    /// A placeholder for the bootstrap servers in configurations that are only printed.
    static let anyServer = "localhost:9092"

    var brokers: String?
    /// The settings of `-X`, in command-line order. Values may be passwords.
    var settings: [Setting] = []
    /// The settings files of `-F`, in command-line order.
    var files: [String] = []
    /// Whether `-F none` turns off the default file.
    private(set) var hasNoFiles = false
    private(set) var report: Report?
    /// `-d`: the contexts to print.
    private(set) var debug: Set<DebugContext> = []
    /// `-m`: the time limit for answers, in seconds.
    private(set) var waitLimit: Int?

    /// Takes an option if it is one of these.
    ///
    /// - Returns: Whether it was.
    mutating func take(_ name: String, _ value: String) throws(Failure) -> Bool {
        switch name {
        case "-b": brokers = value
        case "-F":
            // kcat's names for no file.
            if value == "none" || value == "-" { hasNoFiles = true } else { files.append(value) }
        case "-d": debug.formUnion(try DebugContext.list(value))
        case "-m":
            guard let seconds = Int(value), (1...86_400).contains(seconds) else {
                throw Failure("-m expects a number of seconds from 1 to 86400", status: .usage)
            }
            waitLimit = seconds
        case "-X": try take(setting: value)
        default: return false
        }
        return true
    }

    private mutating func take(setting text: String) throws(Failure) {
        switch text {
        case "list", "help": report = .list
        case "dump": report = report ?? .dump
        default:
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw Failure(
                    "-X expects NAME=VALUE, such as -X client.id=press-3; -X list prints the names", status: .usage)
            }
            settings.append(
                Setting(name: String(text[..<equals]), value: String(text[text.index(after: equals)...])))
        }
    }

    /// The user's settings, by Kafka's names. A later file overrides an earlier one, and `-X` overrides the files.
    ///
    /// - Parameter environment: The environment, for the default file: the one that `KCAT_CONFIG` names, otherwise
    ///   `.config/kcat.conf` in `HOME`.
    func allSettings(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws -> KafkaSettings {
        var all: [Setting] = []
        for path in files { all += try await SettingsFile.read(path) }
        let defaultFile = files.isEmpty ? defaultFile(environment) : nil
        if let defaultFile { all += try await SettingsFile.readKcat(defaultFile) }
        var settings = try KafkaSettings(all + self.settings)
        settings.add(debug: debug)
        settings.files = defaultFile.map { [$0] } ?? files
        return settings
    }

    /// The file that kcat reads without `-F`; nil if there is none.
    private func defaultFile(_ environment: [String: String]) -> String? {
        guard !hasNoFiles else { return nil }
        if let path = environment["KCAT_CONFIG"], !path.isEmpty { return path }
        guard let home = environment["HOME"], !home.isEmpty else { return nil }
        let path = home + "/.config/kcat.conf"
        return FileManager.default.isReadableFile(atPath: path) ? path : nil
    }

    /// Creates a client, which does not connect yet.
    ///
    /// - Parameters:
    ///   - defaults: Settings that the user's settings override.
    ///   - overrides: Settings from other options, which override the user's settings.
    ///   - isQuiet: Whether to omit notes about ignored settings.
    ///   - isVerbose: Whether to name the files that are read.
    func session(
        defaults: [String: String] = [:], overrides: [String: String] = [:], isQuiet: Bool = false,
        isVerbose: Bool = false
    ) async throws -> ClusterSession {
        let settings = try await allSettings()
        if isVerbose { settings.printFiles() }
        if !isQuiet { settings.printNotes() }
        let configuration = try configuration(settings, defaults: defaults, overrides: overrides)
        guard !configuration.bootstrapServers.isEmpty else {
            throw Failure(
                "no broker is given: use -b HOST:PORT, or set bootstrap.servers with -X or in a file with -F",
                status: .usage)
        }
        let warnings = ClientWarnings()
        var given = Set(settings.properties.keys)
        if waitLimit != nil { given.insert("default.api.timeout.ms") }
        let hooks = DebugLog(contexts: settings.debug).hooks(beside: warnings.hooks)
        return ClusterSession(
            client: KafkaClient(configuration, hooks: hooks), warnings: warnings, given: given)
    }

    /// Prints the report of `-X list` or `-X dump`.
    func print(_ report: Report, defaults: [String: String], overrides: [String: String]) async throws {
        switch report {
        case .list: try await Output.standard.write(try SettingsReport.list())
        case .dump:
            let settings = try await allSettings()
            settings.printNotes()
            let configuration = try configuration(settings, defaults: defaults, overrides: overrides)
            try await Output.standard.write(SettingsReport.dump(configuration, settings))
        }
    }

    /// The effective configuration; without bootstrap servers if none are given.
    private func configuration(
        _ settings: KafkaSettings, defaults: [String: String], overrides: [String: String]
    ) throws(Failure) -> ClientConfiguration {
        // If one broker is silent, another one can still be tried within the limit of `ClusterSession`.
        var all = ["socket.connection.setup.timeout.ms": "3000"].merging(defaults) { $1 }
        all.merge(settings.properties) { $1 }
        all.merge(overrides) { $1 }
        if let waitLimit { all["default.api.timeout.ms"] = "\(waitLimit * 1000)" }
        let servers = brokers ?? all["bootstrap.servers"]
        all["bootstrap.servers"] = nil
        do throws(KafkaError) {
            var configuration = try ClientConfiguration(
                bootstrapServers: servers.map { Self.withPorts($0) } ?? Self.anyServer, properties: all)
            if let partitioner = settings.partitioner { configuration.producer.partitioner = partitioner }
            if let keyFile = settings.keyFile { try Self.setKey(keyFile, of: &configuration) }
            if servers == nil { configuration.bootstrapServers = [] }
            return configuration
        } catch {
            throw Failure(error.message, status: .usage)
        }
    }

    /// Sets a client certificate whose key is in a separate file: `ssl.certificate.location` and `ssl.key.location`.
    private static func setKey(_ path: String, of configuration: inout ClientConfiguration) throws(KafkaError) {
        guard configuration.security.tls?.clientCertificate != nil else {
            throw KafkaError(
                .invalidConfig,
                "ssl.key.location is given without ssl.certificate.location, or without security.protocol=SSL or SASL_SSL"
            )
        }
        configuration.security.tls?.clientCertificate?.key = .file(path)
    }

    /// Adds librdkafka's default port, 9092, to brokers without a port.
    static func withPorts(_ servers: String) -> String {
        servers.split(separator: ",", omittingEmptySubsequences: false).map { server in
            let isName =
                !server.isEmpty
                && server.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
            return isName ? server + ":9092" : String(server)
        }.joined(separator: ",")
    }
}

extension Failure {
    /// Creates the failure, with exit status and hint, for an error of the client or a broker.
    init(_ error: KafkaError) {
        switch error.code {
        case .invalidConfig where !error.isFromBroker: self.init(error.message, status: .usage)
        case .unknownTopicOrPartition where error.partition == nil:
            self.init("\(error)", status: .configuration, hint: error.topic.map(Self.missingTopicHint))
        case .unknownTopicOrPartition, .offsetOutOfRange, .groupIdNotFound, .invalidTopicException, .invalidConfig,
            .topicAlreadyExists, .invalidPartitions, .invalidReplicationFactor, .nonEmptyGroup, .policyViolation,
            .resourceNotFound:
            self.init("\(error)", status: .configuration)
        default: self.init("\(error)", status: .unavailable)
        }
    }

    static func missingTopicHint(_ topic: String) -> String {
        "check the name with 'kafkawire topics list', or create the topic with 'kafkawire topics create \(topic)'"
    }
}
