import Foundation

/// The user's confirmation of an irreversible action.
public enum Confirmation {
    /// Asks on the terminal.
    ///
    /// - Parameter question: The question without a question mark.
    /// - Throws: A failure with status `usage` if there is no terminal or the answer isn't yes.
    public static func ask(_ question: String) async throws(Failure) {
        guard isatty(STDIN_FILENO) == 1, Output.standardError.isTerminal else {
            throw Failure(
                "\(question)? Use --yes to confirm, or --dry-run to see what would happen", status: .usage)
        }
        Output.standardError.post(ForeignText.visible(question) + "? [y/N] ")
        // Blocks until the user answers.
        let answer = await DispatchQueue(label: "answer").value(of: { Swift.readLine() })
        guard let answer, ["y", "yes"].contains(answer.lowercased()) else {
            throw Failure("nothing was changed", status: .usage)
        }
    }

    /// The system user and host, for audit records.
    public static var userAndHost: String {
        "\(ProcessInfo.processInfo.userName)@\(ProcessInfo.processInfo.hostName)"
    }
}
