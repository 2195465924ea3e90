/// Finds missing, duplicate and reordered records. Values have the form `writer number`. In each partition a writer's
/// numbers must ascend by the same step, and offsets must be consecutive.
struct SequenceCheck {
    private struct Stream: Hashable {
        let partition: Int32
        let writer: Substring
    }

    private var lastNumber: [Stream: Int] = [:]
    private(set) var nextOffset: [Int32: Int64] = [:]
    private(set) var count = 0
    /// The first twenty problems, one line each.
    private(set) var problems: [String] = []

    mutating func take(_ record: ReadRecord, step: Int) {
        count += 1
        let text = record.text
        let words = text.split(separator: " ")
        let expected = nextOffset[record.partition] ?? 0
        nextOffset[record.partition] = record.offset + 1
        guard words.count == 2, let number = Int(words[1]) else {
            return report("partition \(record.partition) offset \(record.offset): '\(text)'")
        }
        let stream = Stream(partition: record.partition, writer: words[0])
        let last = lastNumber[stream]
        let isRight = last.map { number == $0 + step } ?? (number < step)
        lastNumber[stream] = number
        if record.offset != expected || !isRight {
            report(
                "partition \(record.partition) offset \(record.offset) (after \(expected - 1)): writer \(words[0]) has"
                    + " \(number) after \(last.map(String.init) ?? "nothing")")
        }
    }

    private mutating func report(_ problem: String) {
        if problems.count < 20 { problems.append(problem) }
    }
}
