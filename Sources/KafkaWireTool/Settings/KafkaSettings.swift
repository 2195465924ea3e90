import CommandLineSupport
import KafkaWire

/// A setting as given by the user.
struct Setting: Equatable {
    let name: String
    /// The value. It may be a password, so it must not be printed.
    let value: String
    /// File and line, as the prefix of an error; nil for the command line.
    var place: String?
}

/// The settings of all files and options, translated to Kafka's names.
///
/// kcat's files use the names, values and units of librdkafka. They are translated here, so that the library only needs
/// Kafka's.
struct KafkaSettings {
    /// The settings by Kafka's names. If several have the same meaning, the last one applies.
    private(set) var properties: [String: String] = [:]
    /// `ssl.key.location`: the file of the client's private key, if it is not the file of the certificate.
    private(set) var keyFile: String?
    /// `partitioner`: nil for Kafka's default partitioner.
    private(set) var partitioner: LibrdkafkaPartitioner?
    /// The contexts of `debug`.
    private(set) var debug: Set<DebugContext> = []
    /// The files from which the settings come.
    var files: [String] = []
    /// Notes for the user about ignored and changed settings, one sentence each.
    private(set) var notes: [String] = []
    /// `sasl.oauthbearer.config`, and whether `enable.sasl.oauthbearer.unsecure.jwt` enables it.
    private var unsecuredToken: (config: String, isOn: Bool) = ("", false)
    /// `compression.level`: the level for the codec of `compression.codec`; nil if not set.
    private var compressionLevel: String?

    /// - Throws: A failure of status `usage` for a name that neither Kafka nor librdkafka has, and for a value that
    ///   can't be translated.
    init(_ settings: [Setting]) throws(Failure) {
        for setting in settings { try take(setting) }
        takeCompressionLevel()
        try takeUnsecuredToken()
    }

    private mutating func take(_ setting: Setting) throws(Failure) {
        let name = Self.globalName(setting.name)
        let given = setting.name
        switch LibrdkafkaSettings.meaning(of: name) {
        case .kafka(let kafkaName): properties[kafkaName] = setting.value
        case .converted(let kafkaName, let expected, let convert):
            guard let value = convert(setting.value) else {
                throw Self.invalid(setting, given, expected)
            }
            properties[kafkaName] = value
        case .special(let special): try take(special, setting)
        case .ignored(let reason):
            let why = reason ?? "it has no counterpart in kafkawire"
            add(note: "the setting \(given) is ignored: \(why)")
        case nil: throw Self.unknown(setting)
        }
    }

    private mutating func take(_ special: LibrdkafkaSettings.Special, _ setting: Setting) throws(Failure) {
        let value = setting.value
        switch special {
        case .keyFile: keyFile = value
        case .compressionLevel: compressionLevel = value
        case .compressionCodec:
            // In librdkafka a topic can inherit the client's codec. Here the client's codec is the only one.
            if value != "inherit" { properties["compression.type"] = value }
        case .trustedCertificates:
            // In librdkafka this means the system's certificates, which are the default here.
            if value == "probe" {
                properties["ssl.truststore.location"] = nil
            } else {
                properties["ssl.truststore.location"] = value
            }
        case .commitInterval:
            if value == "0" {
                properties["enable.auto.commit"] = "false"
            } else {
                properties["auto.commit.interval.ms"] = value
            }
        case .inFlight:
            guard let number = Int(value), number > 5 else {
                properties["max.in.flight.requests.per.connection"] = value
                return
            }
            properties["max.in.flight.requests.per.connection"] = "5"
            if number < 1_000_000 {
                add(note: "the setting \(setting.name) is 5: more requests in flight would not keep messages in order")
            }
        case .verification:
            guard let isOn = LibrdkafkaSettings.truth(value) else {
                throw Self.invalid(setting, setting.name, "true or false")
            }
            if isOn == "false" {
                add(note: "the setting \(setting.name) is ignored: brokers' certificates are always verified")
            }
        case .partitioner:
            guard let partitioner = LibrdkafkaPartitioner.Kind(rawValue: value) else {
                let names = LibrdkafkaPartitioner.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw Self.invalid(setting, setting.name, "one of \(names)")
            }
            // Kafka's default is equal and also balances messages without a key.
            self.partitioner = partitioner == .murmur2Random ? nil : LibrdkafkaPartitioner(kind: partitioner)
        case .unsecuredToken: unsecuredToken.config = value
        case .unsecuredTokenSwitch:
            guard let isOn = LibrdkafkaSettings.truth(value) else {
                throw Self.invalid(setting, setting.name, "true or false")
            }
            unsecuredToken.isOn = isOn == "true"
        case .debug: debug.formUnion(try DebugContext.list(value))
        }
    }

    func printFiles() {
        for file in files { Output.standardError.post(line: "% reading settings from \(ShownArgument.name(file))") }
    }

    func printNotes() {
        for note in notes { Output.standardError.post(line: "% \(note)") }
    }

    /// Adds the contexts of `-d`.
    mutating func add(debug contexts: Set<DebugContext>) { debug.formUnion(contexts) }

    private mutating func takeCompressionLevel() {
        guard let level = compressionLevel, level != "-1" else { return }
        let codec = properties["compression.type"] ?? "none"
        if ["gzip", "lz4", "zstd"].contains(codec) {
            properties["compression.\(codec).level"] = level
        } else {
            add(note: "the setting compression.level is ignored: the codec \(codec) has no levels")
        }
    }

    /// Translates librdkafka's description of an unsigned token, which is a list of pairs separated by blanks, such as
    /// `principal=alice lifeSeconds=600`.
    private mutating func takeUnsecuredToken() throws(Failure) {
        guard unsecuredToken.isOn, properties["sasl.jaas.config"] == nil else { return }
        var options = ""
        for pair in unsecuredToken.config.split(separator: " ") {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            let option: String
            switch (parts.first, parts.count) {
            case ("principal", 2): option = "unsecuredLoginStringClaim_sub"
            case ("lifeSeconds", 2): option = "unsecuredLoginLifetimeSeconds"
            default:
                throw Failure(
                    "sasl.oauthbearer.config is invalid; principal=NAME is expected, optionally with lifeSeconds=N",
                    status: .usage)
            }
            let text = parts[1].replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            options += " \(option)=\"\(text)\""
        }
        let module = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
        properties["sasl.jaas.config"] = "\(module) required\(options);"
    }

    private mutating func add(note: String) {
        if !notes.contains(note) { notes.append(note) }
    }

    /// The name without kcat's prefix `topic.` for topic settings. A few other settings also begin with it.
    private static func globalName(_ name: String) -> String {
        guard name.hasPrefix("topic."), LibrdkafkaSettings.meaning(of: name) == nil else { return name }
        return String(name.dropFirst("topic.".count))
    }

    // MARK: Errors

    private static func invalid(_ setting: Setting, _ name: String, _ expected: String) -> Failure {
        Failure(
            "\(prefix(setting))the value of \(name) is invalid; \(expected) is expected", status: .usage)
    }

    private static func prefix(_ setting: Setting) -> String { setting.place.map { "\($0): " } ?? "" }

    /// The failure for an unknown name. It only shows the name if it looks like one, because a line that should have
    /// continued the previous line may be part of a password.
    private static func unknown(_ setting: Setting) -> Failure {
        let name = setting.name
        let start = prefix(setting)
        if let nearest = nearestName(to: globalName(name), among: KnownSetting.names + LibrdkafkaSettings.names) {
            return Failure("\(start)there is no property \(name); did you mean \(nearest)?", status: .usage)
        }
        let first = name.prefix { $0 != "." }
        let isLikeKnown =
            isPlainWord(name) && first.count < name.count && KnownSetting.names.contains { $0.hasPrefix(first + ".") }
        guard isLikeKnown else {
            return Failure(
                "\(start)there is no property of a name that was given; it isn't shown, since it may be a part of the value "
                    + "before it: 'kafkawire -X list' prints the names", status: .usage)
        }
        return Failure("\(start)there is no property \(name): 'kafkawire -X list' prints the names", status: .usage)
    }
}
