import CommandLineSupport
import KafkaWire

/// How to get to the cluster: `-b`, `-X` and `-F`.
struct ConnectionOptions: Equatable {
    static let specs = [
        OptionSpec("b", "bootstrap-servers", takesValue: true), OptionSpec("X", "property", takesValue: true),
        OptionSpec("F", takesValue: true),
    ]

    var brokers: String?
    /// By name; values may be passwords.
    var properties: [String: String] = [:]
    /// Files of properties, in their order.
    var files: [String] = []

    /// Takes an option in where it is one of these.
    ///
    /// - Returns: Whether it was.
    mutating func take(_ name: String, _ value: String) throws(Failure) -> Bool {
        switch name {
        case "-b": brokers = value
        case "-F": files.append(value)
        case "-X":
            guard let equals = value.firstIndex(of: "="), equals > value.startIndex else {
                throw Failure("-X expects NAME=VALUE, such as -X client.id=press-3", status: .usage)
            }
            properties[String(value[..<equals])] = String(value[value.index(after: equals)...])
        default: return false
        }
        return true
    }

    /// The settings that the user gives. A later file overrides an earlier one, and `-X` overrides the files.
    func allProperties() async throws -> [String: String] {
        var all: [String: String] = [:]
        for path in files {
            do throws(KafkaError) {
                for entry in try await PropertiesFile.read(path).entries { all[entry.name] = entry.value }
            } catch {
                throw Failure(error.message, status: error.code == .resourceNotFound ? .noInput : .usage)
            }
        }
        return all.merging(properties) { $1 }
    }

    /// Makes a client. It doesn't connect yet.
    ///
    /// - Parameters:
    ///   - defaults: Settings that apply unless the user gives them.
    ///   - overrides: Settings that other options stand for.
    func session(defaults: [String: String] = [:], overrides: [String: String] = [:]) async throws -> ClusterSession {
        let given = try await allProperties()
        // One silent broker must leave time to try another within the limit of `ClusterSession`.
        var all = ["socket.connection.setup.timeout.ms": "3000"].merging(defaults) { $1 }
        all.merge(given) { $1 }
        all.merge(overrides) { $1 }
        let listed = all.removeValue(forKey: "bootstrap.servers")
        // librdkafka's name for the same setting, found in configuration files of kcat.
        let alias = all.removeValue(forKey: "metadata.broker.list")
        guard let servers = brokers ?? listed ?? alias else {
            throw Failure(
                "no broker is given: use -b HOST:PORT, or set bootstrap.servers with -X or in the file of -F",
                status: .usage)
        }
        let warnings = ClientWarnings()
        do throws(KafkaError) {
            let client = try KafkaClient(bootstrapServers: servers, properties: all, hooks: warnings.hooks)
            return ClusterSession(client: client, warnings: warnings, given: Set(given.keys))
        } catch {
            throw Failure(error.message, status: .usage)
        }
    }
}

extension Failure {
    /// The sentence and the exit status for an error of the client or a broker.
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
