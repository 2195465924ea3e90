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

    /// All settings: files first, each beaten by those after it, then `-X`.
    ///
    /// - Parameter defaults: What counts where nobody says anything.
    func allProperties(defaults: [String: String] = [:]) async throws -> [String: String] {
        var all = defaults
        for path in files {
            do throws(KafkaError) {
                for entry in try await PropertiesFile.read(path).entries { all[entry.name] = entry.value }
            } catch {
                throw Failure(error.message, status: error.code == .resourceNotFound ? .noInput : .usage)
            }
        }
        return all.merging(properties) { $1 }
    }

    /// A client of the cluster.
    ///
    /// - Parameters:
    ///   - defaults: Settings that count where nobody says anything.
    ///   - overrides: Settings that other options have made.
    func client(defaults: [String: String] = [:], overrides: [String: String] = [:]) async throws -> KafkaClient {
        var all = try await allProperties(defaults: defaults).merging(overrides) { $1 }
        let listed = all.removeValue(forKey: "bootstrap.servers")
        // Older configuration files of other clients use the name that librdkafka has for it.
        let alias = all.removeValue(forKey: "metadata.broker.list")
        guard let servers = brokers ?? listed ?? alias else {
            throw Failure(
                "no broker is given: -b HOST:PORT, or bootstrap.servers by -X or in the file of -F", status: .usage)
        }
        do throws(KafkaError) {
            return try KafkaClient(bootstrapServers: servers, properties: all)
        } catch {
            throw Failure(error.message, status: .usage)
        }
    }
}

extension Failure {
    /// What to tell of an error of the cluster, and with which status.
    init(_ error: KafkaError) {
        switch error.code {
        case .invalidConfig where !error.isFromBroker: self.init(error.message, status: .usage)
        case .unknownTopicOrPartition, .offsetOutOfRange, .groupIdNotFound, .invalidTopicException, .invalidConfig,
            .topicAlreadyExists, .invalidPartitions, .invalidReplicationFactor, .nonEmptyGroup, .policyViolation,
            .resourceNotFound:
            self.init("\(error)", status: .configuration)
        default: self.init("\(error)", status: .unavailable)
        }
    }
}
