/// Help texts for a terminal of at least 80 columns.
extension Program {
    private static var width: Int { 80 }

    /// The program's description and its commands.
    public var helpText: String {
        var text = "\(name) \(version)\n\(filled(abstract))\n\nUsage: \(name) COMMAND [OPTION…]\n\nCommands:\n"
        let column = (commands.map(\.name.count).max() ?? 0) + 2
        for command in commands {
            let padding = String(repeating: " ", count: column - command.name.count)
            text += filled(command.name + padding + command.abstract, first: 2, rest: 2 + column) + "\n"
        }
        text += "\n" + filled("'\(name) COMMAND --help' shows the options of a command, \(name) --version the version.")
        return text + "\n"
    }

    /// A command's description, its options with defaults and environment names, and its exit statuses.
    public func helpText(of command: Command) -> String {
        var text = "\(name) \(command.name): \(command.abstract)\n"
        text += "\nUsage: \(name) \(command.name) [OPTION…]\n"
        for paragraph in command.discussion { text += "\n" + filled(paragraph) + "\n" }
        text += "\nOptions (each can also be set by the environment variable in brackets):\n"
        for option in command.options {
            let value = option.placeholder.map { " " + $0 } ?? ""
            text += "  --\(option.name)\(value)  [\(option.environmentName)]\n"
            var help = option.help
            if option.isRepeated { help += " May be repeated." }
            if let defaultText = option.defaultText { help += " Default: \(defaultText)." }
            text += filled(help, first: 6, rest: 6) + "\n"
        }
        text += "  -h, --help\n" + filled("Shows this text.", first: 6, rest: 6) + "\n"
        text += "\nExit status:\n"
        for status in command.statuses {
            let number = "\(status.rawValue)"
            text += filled(number + String(repeating: " ", count: 4 - number.count) + status.meaning, first: 2, rest: 6)
            text += "\n"
        }
        return text
    }

    /// Wraps a paragraph, with the given indents of the first and the other lines.
    private func filled(_ paragraph: String, first: Int = 0, rest: Int = 0) -> String {
        var lines: [String] = []
        var line = String(repeating: " ", count: first)
        var isEmpty = true
        for word in paragraph.split(separator: " ", omittingEmptySubsequences: false) {
            if !isEmpty, line.count + 1 + word.count > Self.width {
                lines.append(line)
                line = String(repeating: " ", count: rest)
                isEmpty = true
            }
            line += isEmpty ? String(word) : " " + word
            isEmpty = false
        }
        return (lines + [line]).joined(separator: "\n")
    }
}
