import CommandLineSupport

/// The status line of a running command.
struct ProgressLine {
    /// The total number of messages; nil if they never end.
    let count: Int?
    private var lastTime: Duration?
    private var lastRecords = 0

    init(count: Int?) { self.count = count }

    /// Returns the current text of the line.
    ///
    /// - Parameters:
    ///   - records: The number of messages sent so far.
    ///   - time: The time since the start. The rate covers the time since the last call.
    mutating func text(records: Int, time: Duration) -> String {
        let elapsed = (time - (lastTime ?? .zero)) / .seconds(1)
        let rate = elapsed > 0 ? Double(records - lastRecords) / elapsed : 0
        lastTime = time
        lastRecords = records
        guard let count else { return "\(Numbers.grouped(records)) messages, \(Numbers.rate(rate))" }
        let percent = count > 0 ? records * 100 / count : 100
        return "\(Numbers.grouped(records)) of \(Numbers.grouped(count)) messages, \(percent) %, \(Numbers.rate(rate))"
    }
}
