/// The result of closing a client's part: what could not be done within the given time.
///
/// Everything else was done, and all resources are released in any case.
public struct CloseReport: Sendable, Hashable, CustomStringConvertible {
    /// One error for each thing that was not done, such as a commit of offsets; empty if nothing was left undone.
    public var errors: [KafkaError] = []
    /// The number of records that a producer did not deliver. Their deliveries fail with an error too.
    public var undeliveredRecords = 0

    /// Whether everything was done.
    public var isComplete: Bool { errors.isEmpty }

    public var description: String {
        if isComplete { return "complete" }
        let errors = errors.map(\.description).joined(separator: "; ")
        return undeliveredRecords == 0 ? errors : "\(undeliveredRecords) records were not delivered: \(errors)"
    }
}

extension CloseReport {
    /// The time that closing takes at most by default.
    package static let defaultLimit = Duration.seconds(25)
}
