import CommandLineSupport
import KafkaWire

/// Prints batches of records.
///
/// A batch is rendered while the previous one is written. Batches that arrive during a write are collected, so that
/// many small batches become few writes.
struct RecordPrinter {
    enum Style {
        case format(OutputFormat)
        /// A JSON object and its delimiter.
        case json(delimiter: [UInt8])
    }

    /// The size from which on collected text is written, in bytes.
    private static let fullSize = 256 << 10

    private let style: Style
    /// Whether to write each record separately, and to wait for the write.
    private let isUnbuffered: Bool
    /// Whether to report and skip a record that does not fit its packing; otherwise it is an error.
    private let skipsMismatches: Bool
    private let output: Output
    private var text: [UInt8] = []
    private var writing: WriteInProgress?

    init(style: Style, isUnbuffered: Bool, skipsMismatches: Bool = false, output: Output = .standard) {
        self.style = style
        self.isUnbuffered = isUnbuffered
        self.skipsMismatches = skipsMismatches
        self.output = output
    }

    /// The result of printing a batch.
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
    ///     nil for no limit. A record's timestamp can be any number, so no number can mean "no limit".
    /// - Throws: `KafkaError` for records that can't be read, `Failure` for those that do not fit the packing of `-s`,
    ///   `OutputError`.
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

    /// Writes the remaining text, and waits until all is written.
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
        writing = WriteInProgress(bytes, to: output)
    }

    private mutating func render(
        _ batch: RecordBatch, _ limit: Int, _ endOffset: Int64?, _ endTimestamp: Int64?, _ ends: inout [Int]
    ) throws -> Printed {
        var printed = Printed(nextOffset: batch.firstOffset)
        // The topic name is escaped; only the record's own bytes are printed unchanged.
        let topic = Array(ForeignText.visible(batch.topic).utf8)
        let names = JSONEnvelope.BatchNames(batch)
        var records = batch.makeIterator()
        while printed.count < limit, let record = try records.next() {
            if let endOffset, record.offset >= endOffset { printed.isAtEnd = true }
            if let endTimestamp, record.timestamp.millisecondsSince1970 >= endTimestamp { printed.isAtEnd = true }
            if printed.isAtEnd { return printed }
            switch style {
            case .format(let format):
                do throws(Packing.Mismatch) {
                    try format.append(record, topic: topic, partition: batch.partition, to: &text)
                } catch {
                    try report(error, batch, offset: record.offset)
                }
            case .json(let delimiter):
                JSONEnvelope.append(record, of: names, to: &text)
                text.append(contentsOf: delimiter)
            }
            if isUnbuffered { ends.append(text.count) }
            printed.count += 1
            // A damaged or hostile log can contain any offset.
            printed.nextOffset = record.offset == .max ? .max : record.offset + 1
        }
        if printed.count < limit { printed.nextOffset = batch.nextOffset }
        return printed
    }
}

extension RecordPrinter {
    private func report(_ mismatch: Packing.Mismatch, _ batch: RecordBatch, offset: Int64) throws(Failure) {
        let sentence =
            "the message at offset \(offset) of \(batch.topic) [\(batch.partition)] does not fit -s: \(mismatch.sentence)"
        guard skipsMismatches else {
            throw Failure(sentence, status: .badData, hint: "-E reports such messages and continues")
        }
        Output.standardError.post(line: "% \(sentence)")
    }
}

/// A write in progress.
private final class WriteInProgress: Sendable {
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
