import CommandLineSupport
import KafkaWire

/// Prints batches of records.
///
/// What is rendered is written while the next batch is rendered; a batch that comes while the last is still being
/// written waits together with those after it, so that many small batches become few writes.
struct RecordPrinter {
    enum Style {
        case format(OutputFormat)
        case json
    }

    /// More than this isn't kept for later.
    private static let fullSize = 256 << 10

    private let style: Style
    /// Whether each record is written by itself, and waited for.
    private let isUnbuffered: Bool
    private let output: Output
    private var text: [UInt8] = []
    private var writing: WriteUnderWay?

    init(style: Style, isUnbuffered: Bool, output: Output = .standard) {
        self.style = style
        self.isUnbuffered = isUnbuffered
        self.output = output
    }

    /// What became of a batch.
    struct Printed: Equatable {
        var count = 0
        /// The offset after the last record that was printed or skipped.
        var nextOffset: Int64
        /// Whether the batch holds a record at or beyond the end that the caller gave.
        var isAtEnd = false
    }

    /// Prints records of a batch.
    ///
    /// - Parameters:
    ///   - limit: The maximum number of records to print.
    ///   - endOffset: Stops before the first record with this offset or a higher one; nil for no limit.
    ///   - endTimestamp: Stops before the first record with this timestamp or a later one, in milliseconds since 1970;
    ///     nil for no limit. A record's timestamp can be any number, so none of them can stand for "no limit".
    /// - Throws: `KafkaError` for records that can't be read, `OutputError`.
    mutating func print(
        _ batch: RecordBatch, limit: Int = .max, endOffset: Int64? = nil, endTimestamp: Int64? = nil
    ) async throws -> Printed {
        var ends: [Int] = []
        let printed = try render(batch, limit, endOffset, endTimestamp, &ends)
        if isUnbuffered {
            var begin = 0
            let all = text
            text.removeAll(keepingCapacity: true)
            for end in ends {
                try await output.write(Array(all[begin..<end]))
                begin = end
            }
        } else if writing?.isDone ?? true || text.count >= Self.fullSize {
            try await write()
        }
        return printed
    }

    /// Writes what is left, and waits for it.
    mutating func flush() async throws {
        if !text.isEmpty { try await write() }
        try await writing?.wait()
        writing = nil
    }

    /// Whether everything is written.
    var isFlushed: Bool { text.isEmpty && writing == nil }

    private mutating func write() async throws {
        try await writing?.wait()
        writing = nil
        guard !text.isEmpty else { return }
        var bytes: [UInt8] = []
        swap(&bytes, &text)
        text.reserveCapacity(bytes.count)
        writing = WriteUnderWay(bytes, to: output)
    }

    private mutating func render(
        _ batch: RecordBatch, _ limit: Int, _ endOffset: Int64?, _ endTimestamp: Int64?, _ ends: inout [Int]
    ) throws(KafkaError) -> Printed {
        var printed = Printed(nextOffset: batch.firstOffset)
        // Only the record's own bytes are printed as they are.
        let topic = Array(ForeignText.visible(batch.topic).utf8)
        let names = JSONEnvelope.BatchNames(batch)
        var records = batch.makeIterator()
        while printed.count < limit, let record = try records.next() {
            if let endOffset, record.offset >= endOffset { printed.isAtEnd = true }
            if let endTimestamp, record.timestamp.millisecondsSince1970 >= endTimestamp { printed.isAtEnd = true }
            if printed.isAtEnd { return printed }
            switch style {
            case .format(let format):
                format.append(record, topic: topic, partition: batch.partition, to: &text)
            case .json: JSONEnvelope.append(record, of: names, to: &text)
            }
            if isUnbuffered { ends.append(text.count) }
            printed.count += 1
            // A damaged or hostile log can hold any offset.
            printed.nextOffset = record.offset == .max ? .max : record.offset + 1
        }
        if printed.count < limit { printed.nextOffset = batch.nextOffset }
        return printed
    }
}

/// Bytes on their way out.
private final class WriteUnderWay: Sendable {
    private let task: Task<OutputError?, Never>
    private let done: DoneFlag

    init(_ bytes: [UInt8], to output: Output) {
        let done = DoneFlag()
        self.done = done
        task = Task {
            defer { done.set() }
            do throws(OutputError) {
                try await output.write(bytes)
                return nil
            } catch {
                return error
            }
        }
    }

    var isDone: Bool { done.isSet }

    func wait() async throws(OutputError) {
        if let error = await task.value { throw error }
    }
}
