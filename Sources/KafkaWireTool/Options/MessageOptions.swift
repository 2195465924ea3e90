import CommandLineSupport

/// The command line of the modes `-L`, `-P`, `-C`, `-G` and `-Q`.
struct MessageOptions: Equatable {
    enum Mode: Equatable {
        case list, produce, consume, query
        case group(String)
    }

    static let specs =
        ConnectionOptions.specs + [
            OptionSpec("L"), OptionSpec("P"), OptionSpec("C"), OptionSpec("Q"), OptionSpec("G", takesValue: true),
            OptionSpec("t", "topic", takesValue: true), OptionSpec("p", "partition", takesValue: true),
            OptionSpec("o", "offset", takesValue: true), OptionSpec("e"), OptionSpec("c", takesValue: true),
            OptionSpec("f", "format", takesValue: true), OptionSpec("J", "json"), OptionSpec("u"),
            OptionSpec("q", "quiet"), OptionSpec("K", takesValue: true), OptionSpec("k", takesValue: true),
            OptionSpec("D", takesValue: true), OptionSpec("H", takesValue: true), OptionSpec("z", takesValue: true),
            OptionSpec("Z"), OptionSpec("l"), OptionSpec("E"), OptionSpec("T"), OptionSpec("s", takesValue: true),
            OptionSpec("v"), OptionSpec("O"),
        ]

    var mode: Mode?
    var connection = ConnectionOptions()
    var topics: [String] = []
    var partition: Int32?
    var begin: ReadBegin?
    /// The record timestamp at which to end, in milliseconds since 1970; nil for no limit.
    var endTimestamp: Int64?
    var exitsAtEnd = false
    var count: Int?
    var format: String?
    var isJSON = false
    var isUnbuffered = false
    var isQuiet = false
    var keySeparator: [UInt8]?
    var fixedKey: String?
    var delimiter: [UInt8] = [UInt8(ascii: "\n")]
    var headers: [MessageHeader] = []
    var codec: String?
    var emptyIsNull = false
    /// `-l`: whether the one operand is a file of messages instead of a message.
    var readsLines = false
    /// `-E`: whether to continue after an error of one message or delivery.
    var continuesAfterErrors = false
    /// `-T`: whether sent messages are also written to standard output.
    var copiesToOutput = false
    /// `-s`: how to show keys and values; nil for plain bytes.
    var keyPacking: Packing?
    var valuePacking: Packing?
    var isVerbose = false
    /// The operands: files to send, or a group's topics.
    var operands: [String] = []
    /// The position of each operand on the command line, from 1.
    private(set) var operandPositions: [Int] = []
    /// The names of all given options.
    private(set) var given: Set<String> = []

    /// - Parameter isInputTerminal: Without a mode, a terminal means `-C` and anything else `-P`.
    /// - Throws: A failure of status `usage`.
    init(_ arguments: some Sequence<String>, isInputTerminal: Bool) throws(Failure) {
        for item in try OptionScanner(specs: Self.specs).scan(arguments) {
            switch item {
            case .operand(let text, let position):
                operands.append(text)
                operandPositions.append(position)
            case .option(let name, nil):
                given.insert(name)
                try take(flag: name)
            case .option(let name, let value?):
                given.insert(name)
                if try !connection.take(name, value) { try take(name, value) }
            }
        }
        guard connection.report == nil else { return }
        if mode == nil { mode = isInputTerminal ? .consume : .produce }
        try check()
    }

    private mutating func take(flag: String) throws(Failure) {
        switch flag {
        case "-L": try set(.list)
        case "-P": try set(.produce)
        case "-C": try set(.consume)
        case "-Q": try set(.query)
        case "-e": exitsAtEnd = true
        case "-J": isJSON = true
        case "-u": isUnbuffered = true
        case "-q": isQuiet = true
        case "-Z": emptyIsNull = true
        case "-l": readsLines = true
        case "-E": continuesAfterErrors = true
        case "-T": copiesToOutput = true
        case "-v": isVerbose = true
        // kcat accepts and ignores it.
        case "-O": break
        default: throw Failure("there is no option \(flag)", status: .usage)
        }
    }

    private mutating func set(_ wanted: Mode) throws(Failure) {
        if let mode, mode != wanted {
            throw Failure("-L, -P, -C, -G and -Q exclude each other: give one of them", status: .usage)
        }
        mode = wanted
    }

    private mutating func take(_ name: String, _ value: String) throws(Failure) {
        switch name {
        case "-G": try set(.group(value))
        case "-t": topics.append(value)
        case "-p":
            guard let number = Int32(value), number >= -1 else {
                throw Failure("-p expects a partition's number", status: .usage)
            }
            partition = number < 0 ? nil : number
        case "-o": try takeOffset(value)
        case "-c":
            guard let number = Int(value), number > 0 else {
                throw Failure("-c expects a number of messages above 0", status: .usage)
            }
            count = number
        case "-f": format = value
        case "-K": keySeparator = try Escapes.bytes(of: value, option: "-K")
        case "-k": fixedKey = value
        case "-D": delimiter = try Escapes.bytes(of: value, option: "-D")
        case "-H": headers.append(try MessageHeader(value))
        case "-z": codec = value
        case "-s": try takePacking(value)
        default: throw Failure("there is no option \(name)", status: .usage)
        }
    }

    private mutating func takeOffset(_ text: String) throws(Failure) {
        if text.hasPrefix("e@") {
            guard let time = Int64(text.dropFirst(2)), time >= 0 else { throw Self.wrongOffset }
            endTimestamp = time
            return
        }
        guard let place = ReadBegin(text) else { throw Self.wrongOffset }
        begin = place
    }

    private static var wrongOffset: Failure {
        Failure("-o expects beginning, end, stored, an offset, -N for the last N, s@MS or e@MS", status: .usage)
    }

    /// Takes `key=PACKING`, `value=PACKING` or a packing for both.
    private mutating func takePacking(_ text: String) throws(Failure) {
        if text.hasPrefix("key=") {
            keyPacking = try Packing(text.dropFirst("key=".count), of: "key")
        } else if text.hasPrefix("value=") {
            valuePacking = try Packing(text.dropFirst("value=".count), of: "value")
        } else {
            keyPacking = try Packing(text[...], of: "key")
            valuePacking = try Packing(text[...], of: "value")
        }
    }
}

/// A header of `-H`, added to every message.
struct MessageHeader: Equatable {
    let name: String
    /// nil if there is no equals sign.
    let value: [UInt8]?

    init(_ text: String) throws(Failure) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty else {
            throw Failure("-H expects NAME=VALUE, or NAME alone for a header without a value", status: .usage)
        }
        self.name = String(name)
        value = parts.count > 1 ? Array(parts[1].utf8) : nil
    }
}

/// Where to begin reading a partition.
enum ReadBegin: Equatable {
    case beginning, end
    /// The offsets that the group has committed.
    case stored
    case offset(Int64)
    /// This number of records before the end.
    case last(Int64)
    /// In milliseconds since 1970.
    case timestamp(Int64)

    /// Parses the value of `-o`; nil if it is invalid.
    init?(_ text: String) {
        switch text {
        case "beginning": self = .beginning
        case "end": self = .end
        case "stored": self = .stored
        default:
            if text.hasPrefix("s@") {
                // Brokers give negative times special meanings: -1 is the end.
                guard let time = Int64(text.dropFirst(2)), time >= 0 else { return nil }
                self = .timestamp(time)
            } else if let number = Int64(text), number > .min {
                self = number < 0 ? .last(-number) : .offset(number)
            } else {
                return nil
            }
        }
    }
}
