/// Parses a command's options from the command line and the environment.
struct OptionParser {
    let options: [any OptionDeclaration]

    /// Parses the options.
    ///
    /// - Parameter arguments: The arguments after the command.
    /// - Throws: A failure with status `usage`.
    func parse(_ arguments: ArraySlice<String>, environment: [String: String]) throws(Failure) -> ParsedOptions {
        var parsed = ParsedOptions()
        var rest = arguments
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument != "-" else {
                // Slices keep their indices, so that of the next argument is this one's position, counted from 1.
                throw Failure(
                    "\(ShownArgument.unexpected(rest.startIndex)); options begin with --", status: .usage)
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // Errors repeat only the name, since the value may be a password.
            let option = try option(written: String(parts[0]))
            let inline = parts.count > 1 ? String(parts[1]) : nil
            if option.placeholder == nil {
                if inline != nil { throw Failure("--\(option.name) takes no value", status: .usage) }
                parsed.values[option.name, default: []].append(true)
                continue
            }
            guard let text = inline ?? rest.popFirst(), inline != nil || !text.hasPrefix("--") else {
                throw Failure("--\(option.name) expects \(option.expectation), and nothing follows", status: .usage)
            }
            parsed.values[option.name, default: []].append(try value(text, of: option, from: "--\(option.name)"))
        }
        for option in options where parsed.values[option.name] == nil {
            guard let text = environment[option.environmentName], !text.isEmpty else { continue }
            let texts = option.isRepeated ? text.split(separator: "\n").map(String.init) : [text]
            for text in texts {
                parsed.values[option.name, default: []].append(
                    try value(text, of: option, from: "\(option.environmentName) in the environment"))
            }
        }
        return parsed
    }

    private func option(written: String) throws(Failure) -> any OptionDeclaration {
        if written.hasPrefix("--"), let option = options.first(where: { $0.name == written.dropFirst(2) }) {
            return option
        }
        guard isPlainWord(written) else {
            throw Failure(
                "an argument is not an option's name \(ShownArgument.hidden); options begin with --", status: .usage)
        }
        if let nearest = nearestName(to: String(written.trimmingPrefix(/-+/)), among: options.map(\.name)) {
            throw Failure("there is no option \(written): did you mean --\(nearest)?", status: .usage)
        }
        throw Failure("there is no option \(written)", status: .usage)
    }

    private func value(_ text: String, of option: any OptionDeclaration, from origin: String)
        throws(Failure) -> any Sendable
    {
        if let value = option.parse(text) { return value }
        throw Failure("\(origin) expects \(option.expectation)", status: .usage)
    }
}

/// The name that was probably meant: one that begins with `wanted` or differs in few letters; nil if there is none.
public func nearestName(to wanted: String, among names: [String]) -> String? {
    // No name is that long, and the comparison takes quadratic time.
    guard wanted.utf8.count <= 256 else { return nil }
    if wanted.count >= 2, let name = names.first(where: { $0.hasPrefix(wanted) }) { return name }
    let ranked = names.map { (name: $0, distance: editDistance(wanted, $0)) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, min(wanted.count, best.name.count) / 3) ? best.name : nil
}

/// The number of letters to change, insert, delete or swap with their neighbour.
private func editDistance(_ first: String, _ second: String) -> Int {
    let a = Array(first)
    let b = Array(second)
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var rows = [Array(0...b.count)]
    for i in 1...a.count {
        var row = [i]
        for j in 1...b.count {
            let change = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
            var best = min(change, rows[i - 1][j] + 1, row[j - 1] + 1)
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
            row.append(best)
        }
        rows.append(row)
    }
    return rows[a.count][b.count]
}
