import CommandLineSupport

/// The result of a run, as one line of JSON with the same names as in the other clients' programs.
struct Result {
    var mode: String
    var records = 0
    /// The bytes of keys and values.
    var bytes = 0
    /// A digest of the decoded values, which is the same for every client that decodes the same records.
    var digest: UInt64 = 0
    private let began = ContinuousClock.now

    init(mode: String) {
        self.mode = mode
    }

    /// Prints the result, with the time and memory that the process has used so far.
    func report() async throws {
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let usage = ResourceUsage.current
        let line: JSONValue = [
            "peer": "kafkawire", "mode": .string(mode), "records": .integer(records), "bytes": .integer(bytes),
            "digest": .string(String(digest)), "seconds": .rounded(seconds, decimals: 3),
            "rate": .rounded(Double(records) / seconds, decimals: 0),
            "cpu_user": .rounded(usage.userSeconds, decimals: 3), "cpu_sys": .rounded(usage.systemSeconds, decimals: 3),
            "max_rss_mb": .rounded(usage.maxResidentMB, decimals: 1),
        ]
        try await Output.standard.write(line.text + "\n")
    }
}
