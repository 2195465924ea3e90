/// The parsed value of `sasl.jaas.config`, in the format of Kafka's Java tools:
///
/// ```
/// org.apache.kafka.common.security.scram.ScramLoginModule required username="alice" password="…";
/// ```
///
/// It consists of one login module, its flag, options, and a semicolon. An option's value consists of letters and digits,
/// or is in double quotes, with Java's escapes. Comments are those of Java.
///
/// Errors contain no part of the text except known names. If the quotes around a value are missing or end too early, parts
/// of the value, which may be a password, appear in place of names.
struct JAASConfiguration {
    let module: String
    let options: [String: String]
    /// The options' names in the order of the text.
    private let names: [String]

    private enum Token: Equatable {
        case word(String)
        case quoted(String)
        case sign(Character)
    }

    init(_ text: String) throws(KafkaError) {
        var tokens = try Self.tokens(text)[...]
        guard case .word(let module) = tokens.popFirst() else {
            throw Self.failure("it must begin with a login module")
        }
        guard case .word(let flag) = tokens.popFirst(),
            ["required", "requisite", "sufficient", "optional"].contains(flag.lowercased())
        else { throw Self.failure("after the login module, 'required' is expected") }
        var options: [String: String] = [:]
        var names: [String] = []
        while let token = tokens.popFirst(), token != .sign(";") {
            guard case .word(let name) = token else { throw Self.failure("the name of an option is expected") }
            names.append(name)
            let shown = Self.shown(name, number: names.count)
            guard tokens.popFirst() == .sign("=") else {
                throw Self.failure("after \(shown), '=' is expected; \(Self.quoting)")
            }
            switch tokens.popFirst() {
            case .word(let value), .quoted(let value):
                guard options.updateValue(value, forKey: name) == nil else {
                    throw Self.failure("\(shown) is given twice")
                }
            default: throw Self.failure("\(shown) has no value; put it in double quotes")
            }
            if tokens.isEmpty { throw Self.failure("it must end with a semicolon") }
        }
        guard tokens.isEmpty else { throw Self.failure("it must be a single login module, with one semicolon") }
        self.module = module
        self.options = options
        self.names = names
        guard text.contains(";") else { throw Self.failure("it must end with a semicolon") }
    }

    fileprivate static let quoting =
        "a value that contains blanks or quotes must be in double quotes, with a backslash before each quote in it"

    /// The options of Kafka's login modules.
    private static let knownNames: Set = [
        "username", "password", "tokenauth", "clientId", "clientSecret", "scope", "unsecuredLoginPrincipalClaimName",
        "unsecuredLoginScopeClaimName", "unsecuredLoginLifetimeSeconds",
    ]

    private static func isKnown(_ name: String) -> Bool {
        knownNames.contains(name) || name.hasPrefix("unsecuredLoginStringClaim_")
    }

    /// An option as errors show it: its name if that is known, otherwise its number.
    private static func shown(_ name: String, number: Int) -> String {
        isKnown(name) ? name : "option \(number)"
    }

    /// The first option for which `isUnwanted` returns true, as errors show it; nil if there is none.
    fileprivate func first(where isUnwanted: (String) -> Bool) -> String? {
        names.firstIndex(where: isUnwanted).map { Self.shown(names[$0], number: $0 + 1) }
    }

    /// The first option that no login module of Kafka has, as errors show it; nil if there is none.
    fileprivate var firstUnknown: String? { first { !Self.isKnown($0) } }

    private static func failure(_ reason: String) -> KafkaError {
        KafkaError(.invalidConfig, "sasl.jaas.config can't be read: \(reason)")
    }

    private static func tokens(_ text: String) throws(KafkaError) -> [Token] {
        var tokens: [Token] = []
        var rest = Substring(text)
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
            } else if rest.hasPrefix("//") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*") {
                guard let end = rest.firstRange(of: "*/") else { throw failure("a comment is not closed") }
                rest = rest[end.upperBound...]
            } else if first == "\"" || first == "'" {
                tokens.append(.quoted(try quoted(&rest)))
            } else if isWord(first) {
                let word = rest.prefix(while: isWord)
                tokens.append(.word(String(word)))
                rest = rest.dropFirst(word.count)
            } else {
                guard first == "=" || first == ";" else {
                    throw failure(
                        "a value with characters other than letters, digits, '.', '-', '_' and '$' needs quotes")
                }
                tokens.append(.sign(first))
                rest.removeFirst()
            }
        }
        return tokens
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || ".-_$".contains(character)
    }

    /// Parses the quoted value at the start of `rest`, and removes it.
    private static func quoted(_ rest: inout Substring) throws(KafkaError) -> String {
        let quote = rest.removeFirst()
        var value = ""
        while let next = rest.popFirst() {
            if next == quote { return value }
            guard !next.isNewline else { break }
            guard next == "\\" else {
                value.append(next)
                continue
            }
            guard let escaped = rest.popFirst() else { break }
            switch escaped {
            case "n": value.append("\n")
            case "t": value.append("\t")
            case "r": value.append("\r")
            case "a": value.append("\u{7}")
            case "b": value.append("\u{8}")
            case "f": value.append("\u{c}")
            case "v": value.append("\u{b}")
            case "0"..."7":
                // Up to three octal digits; the first of three is at most 3.
                var digits = String(escaped)
                let limit = escaped <= "3" ? 3 : 2
                while digits.count < limit, let digit = rest.first, "0"..."7" ~= digit {
                    digits.append(rest.removeFirst())
                }
                if let code = UInt8(digits, radix: 8) { value.unicodeScalars.append(Unicode.Scalar(code)) }
            default: value.append(escaped)
            }
        }
        throw failure("a quoted value is not closed")
    }
}

extension SASLCredentials {
    private static let modules = [
        "org.apache.kafka.common.security.plain.PlainLoginModule": ["PLAIN"],
        "org.apache.kafka.common.security.scram.ScramLoginModule": ["SCRAM-SHA-256", "SCRAM-SHA-512"],
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule": ["OAUTHBEARER"],
    ]

    /// Parses `sasl.jaas.config`.
    ///
    /// - Throws: INVALID_CONFIG. The error contains no secrets.
    init(jaas text: String, mechanism: String) throws(KafkaError) {
        let jaas = try JAASConfiguration(text)
        guard let mechanisms = Self.modules[jaas.module] else {
            // Text that isn't the name of a login module may be anything, including a password.
            let named = jaas.module.hasSuffix("LoginModule") ? "the login module \(jaas.module)" : "no login module"
            throw KafkaError(
                .invalidConfig,
                "sasl.jaas.config names \(named); supported are "
                    + Self.modules.keys.sorted().joined(separator: ", "))
        }
        guard mechanisms.contains(mechanism) else {
            throw KafkaError(
                .invalidConfig,
                "sasl.jaas.config has the login module for \(mechanisms.joined(separator: " and ")), "
                    + "but sasl.mechanism is \(mechanism)")
        }
        if mechanism == "OAUTHBEARER" {
            if let option = jaas.firstUnknown {
                throw KafkaError(
                    .invalidConfig,
                    "sasl.jaas.config has an unknown option: \(option); \(JAASConfiguration.quoting)")
            }
            self = try UnsecuredToken(jaas.options).credentials
            return
        }
        if let option = jaas.first(where: { $0 != "username" && $0 != "password" }) {
            throw KafkaError(
                .invalidConfig,
                "sasl.jaas.config has an option other than username and password: \(option); "
                    + JAASConfiguration.quoting)
        }
        guard let username = jaas.options["username"], let password = jaas.options["password"] else {
            throw KafkaError(.invalidConfig, "sasl.jaas.config has no username or no password")
        }
        try self.init(mechanism: mechanism, username: username, password: Secret(password))
    }

    /// - Throws: INVALID_CONFIG for a mechanism without user name and password.
    init(mechanism: String, username: String, password: Secret) throws(KafkaError) {
        switch mechanism {
        case "PLAIN": self = .plain(username: username, password: password)
        case "SCRAM-SHA-256": self = .scramSHA256(username: username, password: password)
        case "SCRAM-SHA-512": self = .scramSHA512(username: username, password: password)
        default: throw KafkaError(.invalidConfig, "sasl.mechanism=\(mechanism) uses no user name and password")
        }
    }
}
