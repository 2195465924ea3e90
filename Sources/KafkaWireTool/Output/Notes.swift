import CommandLineSupport

/// What is said on standard error beside errors: lines that begin with a percent sign, as kcat's do.
struct Notes: Sendable {
    let isQuiet: Bool

    func say(_ text: String) {
        if !isQuiet { Output.standardError.post(line: "% \(text)") }
    }
}
