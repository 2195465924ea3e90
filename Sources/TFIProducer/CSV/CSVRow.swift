/// The fields of one line of a CSV file. Its memory is reused for every line.
///
/// Source: RFC 4180, but a quoted field ends with its line.
struct CSVRow {
    /// All fields without quotes, concatenated.
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    var count: Int { ends.count }

    subscript(index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// Splits a line into fields.
    ///
    /// - Returns: The problem with the line's quotes; nil if there is none.
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
                    guard index < line.count else { return "a quoted field has no closing quote" }
                    if line[index] == quote {
                        index += 1
                        guard index < line.count, line[index] == quote else { break }
                    }
                    bytes.append(line[index])
                    index += 1
                }
                if index < line.count, line[index] != comma {
                    return "a quoted field continues after its closing "
                        + "quote"
                }
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
