import Foundation

/// The user's consent to something that can't be taken back.
public enum Confirmation {
    /// Asks on the terminal.
    ///
    /// - Parameter question: Without the question mark.
    /// - Throws: A failure of status `usage` if there is no terminal to ask on, or the answer isn't yes.
    public static func ask(_ question: String) async throws(Failure) {
        guard isatty(STDIN_FILENO) == 1, Output.standardError.isTerminal else {
            throw Failure(
                "\(question)? Give --yes to confirm it, or --dry-run to see what would happen", status: .usage)
        }
        Output.standardError.post(ForeignText.visible(question) + "? [y/N] ")
        // It blocks until somebody answers.
        let answer = await DispatchQueue(label: "answer").value(of: { Swift.readLine() })
        guard let answer, ["y", "yes"].contains(answer.lowercased()) else {
            throw Failure("nothing was changed", status: .usage)
        }
    }

    /// The user of the system and the machine, for a record of who did something.
    public static var userAndHost: String {
        "\(ProcessInfo.processInfo.userName)@\(ProcessInfo.processInfo.hostName)"
    }
}
