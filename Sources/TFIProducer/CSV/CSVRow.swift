/// The fields of one line of a CSV file. The same memory serves line after line.
///
/// Source: RFC 4180, but a quoted field ends with its line.
struct CSVRow {
    /// All fields, without quotes, one after the other.
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    var count: Int { ends.count }

    subscript(index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// Takes a line apart.
    ///
    /// - Returns: What is wrong with the line's quotes, or nil.
    mutating func read(_ line: Span<UInt8>) -> String? {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        let quote = UInt8(ascii: "\"")
        let comma = UInt8(ascii: ",")
        var index = 0
        while true {
            if index < line.count, line[index] == quote {
                index += 1
                while true {
                    guard index < line.count else { return "a quoted field doesn't end" }
                    if line[index] == quote {
                        index += 1
                        guard index < line.count, line[index] == quote else { break }
                    }
                    bytes.append(line[index])
                    index += 1
                }
                if index < line.count, line[index] != comma { return "a quoted field goes on after its quote" }
            } else {
                while index < line.count, line[index] != comma {
                    bytes.append(line[index])
                    index += 1
                }
            }
            ends.append(bytes.count)
            if index == line.count { return nil }
            index += 1
        }
    }
}
