import CommandLineSupport

/// Prints notes on standard error unless `-q` is given. Each begins with a percent sign, as in kcat.
struct Notes: Sendable {
    let isQuiet: Bool

    func say(_ text: String) {
        if !isQuiet { Output.standardError.post(line: "% \(text)") }
    }
}
