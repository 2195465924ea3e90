import CommandLineSupport

/// An option that the scanner accepts.
struct OptionSpec {
    let short: Character?
    let long: String?
    let takesValue: Bool

    init(_ short: Character?, _ long: String? = nil, takesValue: Bool = false) {
        self.short = short
        self.long = long
        self.takesValue = takesValue
    }

    /// The name in errors.
    var name: String { short.map { "-\($0)" } ?? "--\(long ?? "")" }
}

/// Splits a command line into options and operands as getopt(3) does: `-CJe` is three options, `-tTFI` equals `-t TFI`,
/// and `--name=value` equals `--name value`. A value may begin with a dash. `--` ends the options.
struct OptionScanner {
    enum Item: Equatable {
        /// The option's `OptionSpec.name`, and its value (nil for a flag).
        case option(String, String?)
        /// An operand, and its position on the command line, from 1.
        case operand(String, position: Int)
    }

    let specs: [OptionSpec]
    /// The number of arguments before the scanned ones.
    var skipped = 0

    /// - Throws: A failure of status `usage`. It never contains values, because they may be passwords.
    func scan(_ arguments: some Sequence<String>) throws(Failure) -> [Item] {
        var items: [Item] = []
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                items += rest.indices.map { .operand(rest[$0], position: skipped + $0 + 1) }
                break
            } else if argument.hasPrefix("--") {
                try scanLong(argument, &rest, &items)
            } else if argument.hasPrefix("-"), argument.count > 1 {
                try scanShort(argument, &rest, &items)
            } else {
                // Slices keep their indices, so the next argument's index is this argument's position, counted from 1.
                items.append(.operand(argument, position: skipped + rest.startIndex))
            }
        }
        return items
    }

    private func scanShort(
        _ argument: String, _ rest: inout ArraySlice<String>, _ items: inout [Item]
    ) throws(Failure) {
        var letters = argument.dropFirst()
        while let letter = letters.popFirst() {
            guard let spec = specs.first(where: { $0.short == letter }) else {
                throw Failure("there is no option -\(letter)", status: .usage)
            }
            guard spec.takesValue else {
                items.append(.option(spec.name, nil))
                continue
            }
            items.append(.option(spec.name, try value(of: spec, letters.isEmpty ? nil : String(letters), &rest)))
            return
        }
    }

    private func scanLong(
        _ argument: String, _ rest: inout ArraySlice<String>, _ items: inout [Item]
    ) throws(Failure) {
        let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first.map(String.init), let spec = specs.first(where: { $0.long == name }) else {
            throw Failure("there is no option \(ShownArgument.option(String(parts.first ?? "")))", status: .usage)
        }
        let attached = parts.count > 1 ? String(parts[1]) : nil
        if spec.takesValue {
            items.append(.option(spec.name, try value(of: spec, attached, &rest)))
        } else if attached == nil {
            items.append(.option(spec.name, nil))
        } else {
            throw Failure("--\(name) takes no value", status: .usage)
        }
    }

    private func value(
        of spec: OptionSpec, _ attached: String?, _ rest: inout ArraySlice<String>
    ) throws(Failure) -> String {
        guard let value = attached ?? rest.popFirst() else {
            throw Failure("\(spec.name) expects a value, and nothing follows", status: .usage)
        }
        return value
    }
}
