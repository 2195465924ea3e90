import CommandLineSupport

/// The live line of a command under way.
struct ProgressLine {
    /// How many messages there will be in all; nil if they never end.
    let count: Int?
    private var lastTime: Duration?
    private var lastRecords = 0

    init(count: Int?) { self.count = count }

    /// The text for the moment.
    ///
    /// - Parameters:
    ///   - records: Messages sent so far.
    ///   - time: Since the beginning, to tell the rate since the last call.
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
