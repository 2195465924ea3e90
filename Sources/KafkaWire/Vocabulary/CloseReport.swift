/// The result of closing a consumer or producer: what could not be done within the given time.
///
/// Everything else was done, and all resources are released in any case.
public struct CloseReport: Sendable, Hashable, CustomStringConvertible {
    /// One error for each step that failed, such as a commit of offsets; empty if all steps succeeded.
    public var errors: [KafkaError]
    /// The number of records that a producer did not deliver. Their deliveries fail with an error too.
    public var undeliveredRecords: Int

    /// Creates a report.
    ///
    /// - Parameters:
    ///   - errors: One error for each step that failed.
    ///   - undeliveredRecords: The number of records that were not delivered.
    public init(errors: [KafkaError] = [], undeliveredRecords: Int = 0) {
        self.errors = errors
        self.undeliveredRecords = undeliveredRecords
    }

    /// Whether all steps succeeded.
    public var isComplete: Bool { errors.isEmpty }

    /// `complete`, or the errors and the number of undelivered records.
    public var description: String {
        if isComplete { return "complete" }
        let errors = errors.map(\.description).joined(separator: "; ")
        return undeliveredRecords == 0 ? errors : "\(undeliveredRecords) records were not delivered: \(errors)"
    }
}

extension CloseReport {
    /// The default time limit for closing.
    package static let defaultLimit = Duration.seconds(25)
}
